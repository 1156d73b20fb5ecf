package main

import (
	"wimscope/wim"
	"wimscope/wim/write"
)

// An incomplete image is listed, extracted and exported as far as possible, with a warning. The exit status is the one with
// which wimlib-imagex refuses such an image.

// lossesShown is the most losses of an image that are listed one by one.
const lossesShown = 10

// lookAt warns about everything that was lost or skipped when an image's tree was read.
func (t *tool) lookAt(im *wim.Image) {
	t.lose(im.Losses())
	for _, w := range im.Warnings() {
		t.warn("image %d: %s", im.Index(), w)
	}
}

// lose warns about losses and makes the run end with exitMetadata.
func (t *tool) lose(losses []wim.Loss, n int) {
	t.lost += n
	if len(losses) > lossesShown {
		losses = losses[:lossesShown]
	}
	for _, l := range losses {
		t.warn("%s", l.String())
	}
	if more := n - len(losses); more > 0 {
		t.warn("%d more losses; \"verify\" lists them", more)
	}
}

// reportLosses warns about the losses of copied images. It refuses to replace an archive with such a copy, which leaves out
// the blobs that only lost entries use.
func (w *writing) reportLosses(t *tool) error {
	losses, n := w.plan.Losses()
	if n == 0 {
		return nil
	}
	if w.compact || w.over != nil {
		hint := "\"export\" copies its images to another archive, as far as they can be read"
		if w.instead != "" {
			hint = w.instead + "; " + hint
		}
		return hinted{w.plan.NeedWhole(), hint}
	}
	t.lose(losses, n)
	return nil
}

// whole refuses to change an image that is incomplete.
func whole(im *wim.Image) error {
	if err := write.NeedWhole(im); err != nil {
		return hinted{err, "\"verify\" lists what is lost; \"extract\" and \"export\" copy what can still be read"}
	}
	return nil
}
