# `make` alone lists what there is. Go is all that `make run` needs; `make test` installs the rest where it may.
.DEFAULT_GOAL := help
JS := GOOS=js GOARCH=wasm
# What runs in a browser at all: the tests in e2e start one, and what starts it does not build for it.
JSPKGS = $$($(JS) go list ./... | grep -v /e2e)
NATIVE = $$(go list ./... | grep -v /e2e)
# Gathering the corpus and packing it takes some minutes, once.
CORPUS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/wimscope-corpus
export CGO_ENABLED = 0

.PHONY: help run build test check lint generated small32 generate tools fuzz campaign bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: ## build everything, serve it on 127.0.0.1 and print the address (PORT=8080)
	go run ./web/build -fast
	go run ./server -port $(or $(PORT),0)

build: ## make the folder dist: what a static server needs
	go run ./web/build

test: tools check ## everything: natively, as WebAssembly in Chromium, journeys in Chromium and Firefox
	CI=true go test -count=1 -timeout=20m $(NATIVE)
	CI=true $(JS) go test -count=1 -timeout=20m -exec "$$(go tool -n jsexec)" $$($(JS) go list ./... | grep -v -e /e2e -e web/platform)
	CI=true $(JS) go test -count=1 -timeout=20m -exec "$$(go tool -n jsexec) -page" ./web/platform
	CI=true go test -count=1 -timeout=20m ./e2e/...

check: lint generated small32 ## what every commit passes: format, vet, staticcheck, floors, sizes
	go test -count=1 ./e2e
	go run ./web/build -budget

lint: ## gofmt, go vet, go fix and staticcheck on both platforms
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'gofmt wants to change these'; exit 1; }
	go vet ./... && $(JS) go vet $(JSPKGS)
	go tool staticcheck ./... && $(JS) $$(go tool -n staticcheck) $(JSPKGS)
	@d=$$(go fix -diff ./... && $(JS) go fix -diff $(JSPKGS)) && test -z "$$d" || { echo "$$d"; exit 1; }

generated: tools # committed generated files are what their sources make
	@s=$$(mktemp); find web -name '*_gen.go' -o -name icons.svg | sort | xargs sha256sum > $$s && \
	$(MAKE) --no-print-directory generate && sha256sum --quiet -c $$s; r=$$?; rm -f $$s; exit $$r

small32: # the engine with 32-bit integers, as in a browser
	GOARCH=386 go vet ./wim/...
	GOARCH=386 go test -count=1 -short $$(go list ./wim/... | grep -v -e /cmd/ -e /wimtest)

generate: ## make generated files again: components, icon sprite
	go generate ./web/...
	go run ./web/build/sprite

tools: ## install what tests need and this machine lacks
	@.ci/tools

fuzz: ## every fuzz target for a while (FUZZTIME=5000x or 5m)
	.ci/fuzz

campaign: tools ## the long runs before an issue is closed: many random trees, much fuzzing
	CI=true WIMSCOPE_CAMPAIGN=1 go test -count=1 -timeout=12h ./wim/... ./e2e/...
	CI=true WIMSCOPE_CAMPAIGN=1 $(JS) go test -count=1 -timeout=2h -run TestEncodeRandom -exec "$$(go tool -n jsexec)" ./wim/xpress ./wim/lzx ./wim/lzms
	FUZZTIME=$(or $(FUZZTIME),5m) .ci/fuzz

bench: tools build ## measure against other programs: a table, and bench.json (CORPUS=folder, RUNS=5)
	go run ./wim/wimtest/corpus -dir $(CORPUS)
	go run ./e2e/bench -corpus $(CORPUS) -runs $(or $(RUNS),5)

clean: ## remove what was built
	rm -rf dist e2e/artifacts e2e/node_modules bench.json
