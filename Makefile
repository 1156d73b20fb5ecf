# `make` alone lists the targets. `make run` needs only Go; `make test` installs what else it needs, if permitted.
.DEFAULT_GOAL := help
JS := GOOS=js GOARCH=wasm
# The packages that run in a browser. e2e starts browsers and does not build for js.
JSPKGS = $$($(JS) go list ./... | grep -v /e2e)
NATIVE = $$(go list ./... | grep -v /e2e)
# Collecting and packing the corpus takes some minutes, once.
CORPUS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/wimscope-corpus
export CGO_ENABLED = 0

.PHONY: help run build test check lint generated small32 generate tools fuzz campaign bench clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z0-9]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' Makefile

run: ## build the site, serve it on 127.0.0.1 and print its address (PORT=8080)
	go run ./web/build -fast
	go run ./server -port $(or $(PORT),0)

build: ## build the site in dist, for any static web server
	go run ./web/build

test: tools check ## all tests: native, as WebAssembly in Chromium, journeys in Chromium and Firefox
	CI=true go test -count=1 -timeout=20m $(NATIVE)
	CI=true $(JS) go test -count=1 -timeout=20m -exec "$$(go tool -n jsexec)" $$($(JS) go list ./... | grep -v -e /e2e -e web/platform)
	CI=true $(JS) go test -count=1 -timeout=20m -exec "$$(go tool -n jsexec) -page" ./web/platform
	CI=true go test -count=1 -timeout=20m ./e2e/...

check: lint generated small32 ## the checks that every commit passes: format, vet, staticcheck, floors, sizes
	go test -count=1 ./e2e
	go run ./web/build -budget

lint: ## gofmt, go vet, go fix and staticcheck for both platforms
	@test -z "$$(gofmt -l .)" || { gofmt -l . ; echo 'run gofmt on these files'; exit 1; }
	go vet ./... && $(JS) go vet $(JSPKGS)
	go tool staticcheck ./... && $(JS) $$(go tool -n staticcheck) $(JSPKGS)
	@d=$$(go fix -diff ./... && $(JS) go fix -diff $(JSPKGS)) && test -z "$$d" || { echo "$$d"; exit 1; }

generated: tools # check that committed generated files match their sources
	@s=$$(mktemp); find web -name '*_gen.go' -o -name icons.svg | sort | xargs sha256sum > $$s && \
	$(MAKE) --no-print-directory generate && sha256sum --quiet -c $$s; r=$$?; rm -f $$s; exit $$r

small32: # test the engine with 32-bit integers
	GOARCH=386 go vet ./wim/...
	GOARCH=386 go test -count=1 -short $$(go list ./wim/... | grep -v -e /cmd/ -e /wimtest)

generate: ## regenerate components and the icon sprite
	go generate ./web/...
	go run ./web/build/sprite

tools: ## install missing tools for tests
	@.ci/tools

fuzz: ## run every fuzz target (FUZZTIME=5000x or 5m)
	.ci/fuzz

campaign: tools ## long runs before an issue is closed: many random trees, much fuzzing
	CI=true WIMSCOPE_CAMPAIGN=1 go test -count=1 -timeout=12h ./wim/... ./e2e/...
	CI=true WIMSCOPE_CAMPAIGN=1 $(JS) go test -count=1 -timeout=2h -run TestEncodeRandom -exec "$$(go tool -n jsexec)" ./wim/xpress ./wim/lzx ./wim/lzms
	FUZZTIME=$(or $(FUZZTIME),5m) .ci/fuzz

bench: tools build ## compare with other programs: prints a table, writes bench.json (CORPUS=folder, RUNS=5)
	go run ./wim/wimtest/corpus -dir $(CORPUS)
	go run ./e2e/bench -corpus $(CORPUS) -runs $(or $(RUNS),5)

clean: ## remove build output
	rm -rf dist e2e/artifacts e2e/node_modules bench.json
