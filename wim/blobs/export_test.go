package blobs

// For the tests of package blobs_test.

const (
	LeastBudget   = leastBudget
	MetadataTimes = metadataTimes
)

var Budget = budget
