package windows

// For the tests of package windows_test.

const LanguageNames = languageNames

var LanguageName = languageName
