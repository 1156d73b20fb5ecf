package site

import "net/http"

// policy lets the page run its own scripts and WebAssembly and connect to its own origin, and nothing else: no inline
// script or style, no eval, no frames, and script URLs only through the page's one Trusted Types policy.
const policy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'; " +
	"img-src 'self' blob: data:; style-src 'self'; font-src 'self'; manifest-src 'self'; frame-src 'none'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; " +
	"require-trusted-types-for 'script'; trusted-types wimapp"

// permissions allows the features that the page uses for its own origin, and denies those that it never uses, also to
// injected scripts. It has only names that browsers know: Chromium reports others as errors.
const permissions = "clipboard-write=(self), screen-wake-lock=(self), " +
	"accelerometer=(), autoplay=(), bluetooth=(), camera=(), clipboard-read=(), display-capture=(), encrypted-media=(), fullscreen=(), " +
	"geolocation=(), gyroscope=(), hid=(), idle-detection=(), local-fonts=(), magnetometer=(), microphone=(), midi=(), payment=(), " +
	"picture-in-picture=(), publickey-credentials-get=(), serial=(), storage-access=(), usb=(), window-management=(), xr-spatial-tracking=()"

// setSecurity sets the headers that every response has.
func setSecurity(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Embedder-Policy", "require-corp")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", permissions)
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("X-Content-Type-Options", "nosniff")
}
