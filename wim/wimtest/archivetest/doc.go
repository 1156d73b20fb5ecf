// Package archivetest opens archives for tests: files, variants that wimlib-imagex makes, archives made by hand.
package archivetest
