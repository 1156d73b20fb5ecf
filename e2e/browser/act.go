package browser

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// Click waits until a control is enabled and clicks it once.
func (p *Page) Click(role, name string) { p.t.Helper(); p.click(role, name, 1, kb.ModifierNone) }

// DoubleClick clicks a control twice.
func (p *Page) DoubleClick(role, name string) {
	p.t.Helper()
	p.click(role, name, 2, kb.ModifierNone)
}

// ClickWith clicks with a modifier key held down: kb.ModifierCtrl, kb.ModifierShift.
func (p *Page) ClickWith(role, name string, m kb.Modifier) { p.t.Helper(); p.click(role, name, 1, m) }

func (p *Page) click(role, name string, count int, m kb.Modifier) {
	p.t.Helper()
	p.wait("a click on "+describe(role, name), func() (bool, error) {
		found, err := p.all(role, name)
		if err != nil || len(found) == 0 || found[0].Disabled {
			return false, err
		}
		x, y, err := p.point(found[0])
		if err != nil {
			return false, err
		}
		ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
		defer cancel()
		_, err = chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
			event := input.DispatchMouseEventParams{X: x, Y: y, Modifiers: int64(m), Type: input.DispatchMouseEventTypeMouseMoved}
			if _, err := cdp.Call(ctx, tab, input.DispatchMouseEvent, event); err != nil {
				return chromedp.Void{}, err
			}
			event.Button = input.MouseButtonLeft
			for n := 1; n <= count; n++ {
				event.ClickCount = int64(n)
				for _, event.Type = range []input.DispatchMouseEventType{input.DispatchMouseEventTypeMousePressed, input.DispatchMouseEventTypeMouseReleased} {
					if _, err := cdp.Call(ctx, tab, input.DispatchMouseEvent, event); err != nil {
						return chromedp.Void{}, err
					}
				}
			}
			return chromedp.Void{}, nil
		})
		if err != nil {
			// The events may have arrived: another click would be one too many.
			p.t.Fatalf("click on %s: %v", describe(role, name), err)
		}
		return true, nil
	})
}

// point returns where a click would hit the control. It fails unless the control is in view, does not move, and is
// not covered.
func (p *Page) point(c Control) (x, y float64, err error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.Patience)
	defer cancel()
	type xy struct{ x, y float64 }
	at := func() (xy, error) {
		return chromedp.Run(ctx, func(ctx context.Context, tab *chromedp.Target) (xy, error) {
			_, err := cdp.Call(ctx, tab, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: c.id})
			if err != nil {
				return xy{}, err
			}
			got, err := cdp.Call(ctx, tab, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: c.id})
			if err != nil {
				return xy{}, err
			}
			if len(got.Quads) == 0 || len(got.Quads[0]) != 8 {
				return xy{}, errors.New("it has no size")
			}
			q := got.Quads[0]
			return xy{(q[0] + q[2] + q[4] + q[6]) / 4, (q[1] + q[3] + q[5] + q[7]) / 4}, nil
		})
	}
	first, err := at()
	if err != nil {
		return 0, 0, err
	}
	time.Sleep(20 * time.Millisecond)
	second, err := at()
	if err != nil {
		return 0, 0, err
	}
	if first != second {
		return 0, 0, errors.New("it moves")
	}
	hit, err := p.call(c, `function(x, y) {
		const e = document.elementFromPoint(x, y);
		return e !== null && (this.contains(e) || e.contains(this) || (this.labels ? [...this.labels].some((l) => l.contains(e)) : false));
	}`, first.x, first.y)
	if err != nil {
		return 0, 0, err
	}
	if string(hit) != "true" {
		return 0, 0, errors.New("something covers it")
	}
	return first.x, first.y, nil
}

// Type replaces the text of a field by typing.
func (p *Page) Type(role, name, text string) {
	p.t.Helper()
	c := p.Enabled(role, name)
	if _, err := p.call(c, `function() { this.focus(); this.select && this.select(); }`); err != nil {
		p.t.Fatalf("%s: %v", describe(role, name), err)
	}
	if text == "" {
		p.Press("Delete")
		return
	}
	p.must(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, input.InsertText, input.InsertTextParams{Text: text})
		return err
	}))
}

// Choose selects an entry of a drop-down list by its label.
func (p *Page) Choose(role, name, label string) {
	p.t.Helper()
	c := p.Enabled(role, name)
	ok, err := p.call(c, `function(label) {
		const o = [...this.options].find((o) => o.label.trim() === label || o.label.trim().startsWith(label));
		if (!o) return false;
		this.value = o.value;
		this.dispatchEvent(new Event("input", { bubbles: true }));
		this.dispatchEvent(new Event("change", { bubbles: true }));
		return true;
	}`, label)
	if err != nil || string(ok) != "true" {
		p.t.Fatalf("%s has no entry %q (%v)", describe(role, name), label, err)
	}
}

// Focus moves the keyboard focus to a control.
func (p *Page) Focus(role, name string) {
	p.t.Helper()
	if _, err := p.call(p.Find(role, name), `function() { this.focus() }`); err != nil {
		p.t.Fatalf("%s: %v", describe(role, name), err)
	}
}

// keys by their common names.
var keys = map[string]string{
	"Enter": kb.Enter, "Escape": kb.Escape, "Tab": kb.Tab, "Space": " ", "Delete": kb.Delete, "Backspace": kb.Backspace,
	"Up": kb.ArrowUp, "Down": kb.ArrowDown, "Left": kb.ArrowLeft, "Right": kb.ArrowRight,
	"Home": kb.Home, "End": kb.End, "PageUp": kb.PageUp, "PageDown": kb.PageDown, "F1": kb.F1, "F6": kb.F6,
}

// Press presses a key or a combination: "Enter", "a", "Control+K", "Shift+Down".
func (p *Page) Press(combination string) {
	p.t.Helper()
	parts := strings.Split(combination, "+")
	var m []chromedp.KeyOption
	for _, name := range parts[:len(parts)-1] {
		modifier, ok := map[string]kb.Modifier{"Control": kb.ModifierCtrl, "Shift": kb.ModifierShift, "Alt": kb.ModifierAlt}[name]
		if !ok {
			p.t.Fatalf("unknown key %q", name)
		}
		m = append(m, chromedp.KeyModifiers(modifier))
	}
	key := parts[len(parts)-1]
	if k, ok := keys[key]; ok {
		key = k
	} else if len(m) > 0 {
		key = strings.ToLower(key)
	}
	p.must(chromedp.KeyEvent(key, m...))
}

// Drop drops files and folders from disk onto the middle of the page.
func (p *Page) Drop(paths ...string) {
	p.t.Helper()
	for i, path := range paths {
		abs, err := filepath.Abs(path)
		if err == nil {
			_, err = os.Stat(abs)
		}
		if err != nil {
			p.t.Fatal(err)
		}
		paths[i] = abs
	}
	var size struct{ X, Y float64 }
	if err := json.Unmarshal(p.Eval(`({X: innerWidth / 2, Y: innerHeight / 2})`), &size); err != nil {
		p.t.Fatal(err)
	}
	p.must(chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		data := &input.DragData{Items: []*input.DragDataItem{}, Files: paths, DragOperationsMask: 1}
		// The cursor hovers before the drop, and the page may change what is under it meanwhile: a drop needs a
		// dragover on the element that is there now.
		for _, kind := range []input.DispatchDragEventType{input.DispatchDragEventTypeDragEnter, input.DispatchDragEventTypeDragOver,
			input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDragOver, input.DispatchDragEventTypeDrop} {
			if _, err := cdp.Call(ctx, tab, input.DispatchDragEvent, input.DispatchDragEventParams{Type: kind, X: size.X, Y: size.Y, Data: data}); err != nil {
				return err
			}
			if kind == input.DispatchDragEventTypeDragOver {
				time.Sleep(60 * time.Millisecond)
			}
		}
		return nil
	}))
}

// handle sets window[name] to the handle of a file or folder. The handle comes from a drop that the product does not
// see, so that it is as real as one from a picker, which headless Chromium does not have.
func (p *Page) handle(name, path string) {
	p.t.Helper()
	p.Eval(fmt.Sprintf(`(() => {
		const own = (e) => {
			e.preventDefault();
			e.stopImmediatePropagation();
			if (e.type !== "drop") return;
			for (const type of types) removeEventListener(type, own, { capture: true });
			e.dataTransfer.items[0].getAsFileSystemHandle().then((h) => { window[%s] = h; });
		};
		const types = ["dragenter", "dragover", "dragleave", "drop"];
		delete window[%[1]s];
		for (const type of types) addEventListener(type, own, { capture: true });
	})()`, quote(name)))
	p.Drop(path)
	p.Until("the handle of "+path, fmt.Sprintf(`window[%s] !== undefined`, quote(name)))
}

// PickFolder makes the folder picker return a folder below Dir.
func (p *Page) PickFolder(path string) {
	p.t.Helper()
	p.handle("testFolder", path)
	p.Eval(`void (window.showDirectoryPicker = async () => window.testFolder)`)
}

// PickSave makes the save picker return a file in a folder below Dir. Its name is name, or the one that the page
// suggests if name is "".
func (p *Page) PickSave(folder, name string) {
	p.t.Helper()
	p.handle("testSaveFolder", folder)
	p.Eval(fmt.Sprintf(`void (window.showSaveFilePicker = async (o) => {
		window.testSuggested = o && o.suggestedName;
		return window.testSaveFolder.getFileHandle(%s || window.testSuggested, { create: true });
	})`, quote(name)))
}

// PickOpen makes the file picker return files.
func (p *Page) PickOpen(paths ...string) {
	p.t.Helper()
	names := make([]string, len(paths))
	for i, path := range paths {
		names[i] = fmt.Sprintf("testFile%d", i)
		p.handle(names[i], path)
		names[i] = "window." + names[i]
	}
	p.Eval(`void (window.showOpenFilePicker = async () => [` + strings.Join(names, ",") + `])`)
}

// DismissPickers makes every picker behave as if the user closed it.
func (p *Page) DismissPickers() {
	p.t.Helper()
	p.Eval(`void (window.showSaveFilePicker = window.showDirectoryPicker = window.showOpenFilePicker =
		async () => { throw new DOMException("The user aborted a request.", "AbortError"); })`)
}

// NoPickers removes the pickers, as in a browser that has none.
func (p *Page) NoPickers() {
	p.t.Helper()
	p.must(p.addScript(`for (const n of ["showSaveFilePicker", "showDirectoryPicker", "showOpenFilePicker"]) delete window[n];
		delete DataTransferItem.prototype.getAsFileSystemHandle;`))
}

// Download waits until exactly one complete file has been downloaded, moves it away and returns its path.
func (p *Page) Download() string {
	p.t.Helper()
	var found string
	p.wait("a download", func() (bool, error) {
		entries, err := os.ReadDir(p.Saved)
		if err != nil || len(entries) == 0 {
			return false, err
		}
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".crdownload") || strings.HasPrefix(e.Name(), ".") {
				return false, nil
			}
		}
		if len(entries) > 1 {
			return false, fmt.Errorf("%d files were downloaded", len(entries))
		}
		found = entries[0].Name()
		return true, nil
	})
	dir, err := os.MkdirTemp(filepath.Dir(p.Saved), "taken-")
	if err == nil {
		err = os.Rename(filepath.Join(p.Saved, found), filepath.Join(dir, found))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return filepath.Join(dir, found)
}

// Throttle limits what the page downloads to bits per second, with a latency of 20 ms.
func (p *Page) Throttle(bits int64) error {
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
			MatchedNetworkConditions: []*network.Conditions{{Latency: 20, DownloadThroughput: float64(bits) / 8, UploadThroughput: -1}}})
		return chromedp.Void{}, err
	})
	return err
}

// ClearCache empties the browser's cache.
func (p *Page) ClearCache() error {
	_, err := chromedp.Run(p.ctx, func(ctx context.Context, tab *chromedp.Target) (chromedp.Void, error) {
		_, err := cdp.Call(ctx, tab, network.ClearBrowserCache, cdp.Empty{})
		return chromedp.Void{}, err
	})
	return err
}
