package browser

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// writePreferences prepares a profile in which pages of o.Origin have the permissions that a user would have given:
// headless Chromium shows no prompts, and a request for permission would wait for ever. Safe Browsing is off, because
// without a network the check of each written file takes seconds.
func writePreferences(profile string, o Options) error {
	// Chromium counts microseconds since 1601.
	now := strconv.FormatInt(time.Now().UnixMicro()+11644473600000000, 10)
	type object = map[string]any
	exceptions := object{}
	if len(o.Writable) > 0 {
		var chosen []object
		for _, path := range o.Writable {
			info, err := os.Stat(path)
			if err != nil {
				return err
			}
			chosen = append(chosen, object{"path": path, "display-name": filepath.Base(path),
				"is-directory": info.IsDir(), "readable": true, "writable": true})
		}
		exceptions["file_system_access_chooser_data"] = object{o.Origin + ",*": object{"last_modified": now,
			"setting": object{"chosen-objects": chosen}}}
		exceptions["file_system_access_extended_permission"] = object{o.Origin + ",*": object{"last_modified": now,
			"setting": 1}}
	}
	settings := object{"content_settings": object{"exceptions": exceptions}}
	if o.Blocked {
		settings["default_content_setting_values"] = object{"cookies": 2}
	}
	text, err := json.Marshal(object{
		"safebrowsing": object{"enabled": false},
		"profile":      settings,
		"intl":         object{"accept_languages": "en-US", "selected_languages": "en-US"},
	})
	if err != nil {
		return err
	}
	folder := filepath.Join(profile, "Default")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(folder, "Preferences"), text, 0o600)
}
