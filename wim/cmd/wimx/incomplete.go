package main

import "wimscope/wim/core"

// An image that is incomplete is shown, extracted and exported as far as it is there. That is said, and is no success:
// the exit status is the one with which wimlib-imagex refuses such an image.

// lossesShown is how many losses of an image are named one by one.
const lossesShown = 10

// lookAt tells what was lost of an image, or passed over, when its tree was read.
func (t *tool) lookAt(im *core.Image) {
	losses, n := im.Losses()
	all := im.Warnings()
	t.lose(losses, n)
	if n > 0 {
		all = all[min(len(losses)+min(n-len(losses), 1), len(all)):]
	}
	for _, w := range all {
		t.warn("image %d: %s", im.Index(), w)
	}
}

// lose tells what was lost, and has the program end with a status that says so.
func (t *tool) lose(losses []core.Loss, n int) {
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

// loseOf looks at the images that are copied. An archive is not written over one that it comes from, if they lack
// anything: contents that only lost entries used would be gone for good.
func (t *tool) loseOf(w *writing) error {
	losses, n := w.plan.Losses()
	if n == 0 {
		return nil
	}
	if w.compact || w.over != nil {
		return codef(exitMetadata, "%s; written anew, the archive would lose for good the contents that only lost entries use: export its images to another file", losses[0].String())
	}
	t.lose(losses, n)
	return nil
}

// whole refuses an image of which something was lost: changed, it would be lost for good.
func whole(im *core.Image) error {
	losses, n := im.Losses()
	if n == 0 {
		return nil
	}
	return codef(exitMetadata, "%s; changed, the image would lose for good what it lacks: \"verify\" lists it, \"extract\" and \"export\" give what there is", losses[0].String())
}
