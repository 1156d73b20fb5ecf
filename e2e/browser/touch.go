package browser

import (
	"context"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
)

// Phone gives documents loaded from now on a phone's screen of width by height CSS pixels.
func (p *Page) Phone(width, height int64) {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{
		Width: width, Height: height, DeviceScaleFactor: 1, Mobile: true})
	if err != nil {
		p.t.Fatal(err)
	}
	p.Touchscreen()
}

// Touchscreen gives the page a touchscreen in addition to the mouse.
func (p *Page) Touchscreen() {
	p.t.Helper()
	_, err := chromedp.Call(p.ctx, emulation.SetTouchEmulationEnabled, emulation.SetTouchEmulationEnabledParams{Enabled: true, MaxTouchPoints: 1})
	if err != nil {
		p.t.Fatal(err)
	}
}

// Tap touches a control briefly.
func (p *Page) Tap(role, name string) { p.t.Helper(); p.touch(role, name, 60*time.Millisecond) }

// Hold touches a control for longer than a tap.
func (p *Page) Hold(role, name string) { p.t.Helper(); p.touch(role, name, 900*time.Millisecond) }

func (p *Page) touch(role, name string, long time.Duration) {
	p.t.Helper()
	p.wait("a touch of "+describe(role, name), func() (bool, error) {
		found, err := p.all(role, name)
		if err != nil || len(found) == 0 || found[0].Disabled {
			return false, err
		}
		x, y, err := p.point(found[0])
		if err != nil {
			return false, err
		}
		p.must(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
			_, err := cdp.Call(ctx, tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{
				Type: input.DispatchTouchEventTypeTouchStart, TouchPoints: []*input.TouchPoint{{X: x, Y: y}}})
			if err != nil {
				return err
			}
			time.Sleep(long)
			_, err = cdp.Call(ctx, tab, input.DispatchTouchEvent, input.DispatchTouchEventParams{
				Type: input.DispatchTouchEventTypeTouchEnd, TouchPoints: []*input.TouchPoint{}})
			return err
		}))
		return true, nil
	})
}
