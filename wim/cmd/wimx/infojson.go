package main

import (
	"errors"

	"wimscope/wim"
	"wimscope/wim/windows"
)

// infoOut is the document of `info --json`. The keys are part of the command line and do not follow the names of the engine.

type infoOut struct {
	Path    string      `json:"path"`
	Archive infoArchive `json:"archive"`
	Images  []infoImage `json:"images"`
}

type infoArchive struct {
	GUID           string     `json:"guid"`
	Version        string     `json:"version"`
	Flags          []string   `json:"flags"`
	RawFlags       uint32     `json:"rawFlags"`
	Compression    string     `json:"compression"`
	ChunkSize      int64      `json:"chunkSize"`
	Solid          bool       `json:"solid"`
	SolidCodec     string     `json:"solidCompression,omitempty"` // of the first solid resource
	SolidChunkSize int64      `json:"solidChunkSize,omitempty"`
	Pipable        bool       `json:"pipable"`
	ReadOnly       bool       `json:"readOnly"`
	Parts          []infoPart `json:"parts"`
	References     []infoPart `json:"references,omitempty"`
	TotalParts     int        `json:"totalParts"`
	MissingParts   []int      `json:"missingParts,omitempty"`
	BootIndex      int        `json:"bootIndex"`
	ImageCount     int        `json:"imageCount"`
	Blobs          int        `json:"blobs"`
	Bytes          int64      `json:"bytes"`       // unpacked
	PackedBytes    int64      `json:"packedBytes"` // as stored
	Warnings       []string   `json:"warnings,omitempty"`
}

type infoPart struct {
	Name      string `json:"name"`
	Number    int    `json:"number"`
	Size      int64  `json:"size"`
	Integrity bool   `json:"integrity"` // it has an integrity table
}

// infoImage describes an image, from the XML document.
type infoImage struct {
	Index              int      `json:"index"`
	Name               string   `json:"name"`
	Description        string   `json:"description,omitempty"`
	DisplayName        string   `json:"displayName,omitempty"`
	DisplayDescription string   `json:"displayDescription,omitempty"`
	Flags              string   `json:"flags,omitempty"`
	Edition            string   `json:"edition,omitempty"`
	InstallationType   string   `json:"installationType,omitempty"`
	ProductName        string   `json:"productName,omitempty"`
	ProductType        string   `json:"productType,omitempty"`
	ProductSuite       string   `json:"productSuite,omitempty"`
	HAL                string   `json:"hal,omitempty"`
	Architecture       string   `json:"architecture,omitempty"`
	Languages          []string `json:"languages,omitempty"`
	DefaultLanguage    string   `json:"defaultLanguage,omitempty"`
	Version            string   `json:"version,omitempty"`
	KernelVersion      string   `json:"kernelVersion,omitempty"` // from ntoskrnl.exe in the image, more reliable than version
	Branch             string   `json:"branch,omitempty"`
	ServicePack        string   `json:"servicePack,omitempty"`
	SystemRoot         string   `json:"systemRoot,omitempty"`
	Dirs               int64    `json:"dirs"`
	Files              int64    `json:"files"`
	Bytes              int64    `json:"bytes"`
	HardLinkBytes      int64    `json:"hardLinkBytes"`
	Created            string   `json:"created"`
	Modified           string   `json:"modified"`
	Boot               bool     `json:"boot"`
	WIMBoot            bool     `json:"wimBoot"`
	Problem            string   `json:"problem,omitempty"` // why the image's tree cannot be read

	Windows *infoWindows `json:"windows,omitempty"` // with --windows
}

// infoJSON prints the archive and its images as one JSON object; with withWindows also information from their registries.
func (t *tool) infoJSON(a *opened, choice int, withWindows bool) error {
	i := a.Info()
	out := infoOut{Path: a.name, Images: []infoImage{}, Archive: infoArchive{
		GUID: i.GUID, Version: i.Version, Flags: append([]string{}, i.Flags...), RawFlags: i.RawFlags,
		Compression: i.Codec.String(), ChunkSize: i.ChunkSize, Solid: i.Solid, SolidChunkSize: i.SolidChunkSize,
		Pipable: i.Pipable, ReadOnly: i.ReadOnly, Parts: infoParts(i.Parts), References: infoParts(i.References),
		TotalParts: i.TotalParts, MissingParts: i.Missing, BootIndex: i.BootIndex, ImageCount: i.Images,
		Blobs: i.Blobs, Bytes: i.BlobBytes, PackedBytes: i.PackedBytes, Warnings: i.Warnings,
	}}
	if i.Solid {
		out.Archive.SolidCodec = i.SolidCodec.String()
	}
	for _, n := range a.indexes(choice) {
		x := a.Images()[n-1]
		kernel, _, err := windows.KernelVersion(a.Archive, n)
		if err != nil {
			kernel = "" // most images have no Windows in them
		}
		out.Images = append(out.Images, infoImage{
			Index: x.Index, Name: x.Name, Description: x.Description, DisplayName: x.DisplayName, DisplayDescription: x.DisplayDescription,
			Flags: x.Flags, Edition: x.Edition, InstallationType: x.InstallationType, ProductName: x.ProductName, ProductType: x.ProductType,
			ProductSuite: x.ProductSuite, HAL: x.HAL, Architecture: x.Arch, Languages: x.Languages, DefaultLanguage: x.DefaultLanguage,
			Version: x.Version, KernelVersion: kernel, Branch: x.Branch, ServicePack: x.ServicePack, SystemRoot: x.SystemRoot,
			Dirs: x.Dirs, Files: x.Files, Bytes: x.Bytes, HardLinkBytes: x.HardLinkBytes,
			Created: x.Created.String(), Modified: x.Modified.String(), Boot: x.Boot, WIMBoot: x.WIMBoot, Problem: x.Problem,
		})
	}
	var damage error
	if withWindows {
		damage = t.windowsJSON(a, out.Images)
	}
	return errors.Join(t.json(out), damage)
}

func infoParts(list []wim.PartInfo) []infoPart {
	out := []infoPart{}
	for _, p := range list {
		out = append(out, infoPart{p.Name, p.Number, p.Size, p.Integrity})
	}
	return out
}
