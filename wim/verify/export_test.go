package verify

// For the tests of package verify_test.

const MaxPathText = maxPathText

var ErrUnfinished = errUnfinished
