package security

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// SID is a security identifier as stored, [MS-DTYP] 2.4.2: a principal, a group, a label.
type SID []byte

// parseSID reads a SID from the front of b. The SID shares b's memory.
func parseSID(b []byte) (SID, bool) {
	if len(b) < 8 || b[0] != 1 || b[1] > 15 {
		return nil, false
	}
	n := 8 + 4*int(b[1])
	if len(b) < n {
		return nil, false
	}
	return SID(b[:n:n]), true
}

func (s SID) authority() uint64 {
	return uint64(binary.BigEndian.Uint16(s[2:]))<<32 | uint64(binary.BigEndian.Uint32(s[4:]))
}

// subs returns the sub-authorities.
func (s SID) subs() []uint32 {
	list := make([]uint32, s[1])
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(s[8+4*i:])
	}
	return list
}

// String returns the form S-1-5-32-544.
func (s SID) String() string {
	if s == nil {
		return ""
	}
	var b strings.Builder
	if a := s.authority(); a < 1<<32 {
		fmt.Fprintf(&b, "S-1-%d", a)
	} else {
		fmt.Fprintf(&b, "S-1-0x%012X", a)
	}
	for _, sub := range s.subs() {
		fmt.Fprintf(&b, "-%d", sub)
	}
	return b.String()
}

// SDDL returns the two letters that SDDL has for a well-known SID, otherwise String. Accounts of a domain or machine always
// get String, since their letters do not identify the domain.
func (s SID) SDDL() string {
	text := s.String()
	for _, w := range wellKnownSIDs {
		if w.sid == text && w.alias != "" {
			return w.alias
		}
	}
	return text
}

// Name returns the English name that Windows shows, such as "Administrators" or "TrustedInstaller", otherwise String. An
// account of a machine or domain is named by its relative part: "Administrator (S-1-5-21-1-2-3-500)".
func (s SID) Name() string {
	text := s.String()
	for _, w := range wellKnownSIDs {
		if w.sid == text {
			return w.name
		}
	}
	if len(s) < 8 {
		return text
	}
	subs := s.subs()
	switch a := s.authority(); {
	case a == 5 && len(subs) == 5 && subs[0] == 21:
		for _, r := range domainRIDs {
			if r.rid == subs[4] {
				return r.name + " (" + text + ")"
			}
		}
	case a == 5 && len(subs) == 3 && subs[0] == 5:
		return fmt.Sprintf("logon session %d-%d", subs[1], subs[2])
	case a == 5 && len(subs) == 6 && subs[0] == 80:
		if name := serviceName(s); name != "" {
			return name
		}
		return "service " + text
	case a == 15 && len(subs) > 1 && subs[0] == 2:
		return "app package " + text
	case a == 15 && len(subs) > 1 && subs[0] == 3:
		return "app capability " + text
	case a == 16 && len(subs) == 1:
		return fmt.Sprintf("integrity level 0x%x", subs[0])
	}
	return text
}

// wellKnownSIDs: [MS-DTYP] 2.4.2.4 for the SIDs and 2.5.1.1 for the letters.
var wellKnownSIDs = [...]struct{ sid, alias, name string }{
	{"S-1-0-0", "", "Nobody"},
	{"S-1-1-0", "WD", "Everyone"},
	{"S-1-2-0", "", "LOCAL"},
	{"S-1-2-1", "", "CONSOLE LOGON"},
	{"S-1-3-0", "CO", "CREATOR OWNER"},
	{"S-1-3-1", "CG", "CREATOR GROUP"},
	{"S-1-3-2", "", "CREATOR OWNER SERVER"},
	{"S-1-3-3", "", "CREATOR GROUP SERVER"},
	{"S-1-3-4", "OW", "OWNER RIGHTS"},
	{"S-1-5-1", "", "DIALUP"},
	{"S-1-5-2", "NU", "NETWORK"},
	{"S-1-5-3", "", "BATCH"},
	{"S-1-5-4", "IU", "INTERACTIVE"},
	{"S-1-5-6", "SU", "SERVICE"},
	{"S-1-5-7", "AN", "ANONYMOUS LOGON"},
	{"S-1-5-8", "", "PROXY"},
	{"S-1-5-9", "ED", "ENTERPRISE DOMAIN CONTROLLERS"},
	{"S-1-5-10", "PS", "SELF"},
	{"S-1-5-11", "AU", "Authenticated Users"},
	{"S-1-5-12", "RC", "RESTRICTED"},
	{"S-1-5-13", "", "TERMINAL SERVER USER"},
	{"S-1-5-14", "", "REMOTE INTERACTIVE LOGON"},
	{"S-1-5-15", "", "This Organization"},
	{"S-1-5-17", "", "IUSR"},
	{"S-1-5-18", "SY", "SYSTEM"},
	{"S-1-5-19", "LS", "LOCAL SERVICE"},
	{"S-1-5-20", "NS", "NETWORK SERVICE"},
	{"S-1-5-33", "WR", "WRITE RESTRICTED"},
	{"S-1-5-80-0", "", "ALL SERVICES"},
	{"S-1-5-83-0", "", "Virtual Machines"},
	{"S-1-5-84-0-0-0-0-0", "UD", "USER MODE DRIVERS"},
	{"S-1-5-90-0", "", "Window Manager Group"},
	{"S-1-5-96-0", "", "Font Driver Host"},
	{"S-1-5-113", "", "Local account"},
	{"S-1-5-114", "", "Local account and member of Administrators group"},
	{"S-1-5-32-544", "BA", "Administrators"},
	{"S-1-5-32-545", "BU", "Users"},
	{"S-1-5-32-546", "BG", "Guests"},
	{"S-1-5-32-547", "PU", "Power Users"},
	{"S-1-5-32-548", "AO", "Account Operators"},
	{"S-1-5-32-549", "SO", "Server Operators"},
	{"S-1-5-32-550", "PO", "Print Operators"},
	{"S-1-5-32-551", "BO", "Backup Operators"},
	{"S-1-5-32-552", "RE", "Replicator"},
	{"S-1-5-32-554", "RU", "Pre-Windows 2000 Compatible Access"},
	{"S-1-5-32-555", "RD", "Remote Desktop Users"},
	{"S-1-5-32-556", "NO", "Network Configuration Operators"},
	{"S-1-5-32-557", "", "Incoming Forest Trust Builders"},
	{"S-1-5-32-558", "MU", "Performance Monitor Users"},
	{"S-1-5-32-559", "LU", "Performance Log Users"},
	{"S-1-5-32-560", "", "Windows Authorization Access Group"},
	{"S-1-5-32-561", "", "Terminal Server License Servers"},
	{"S-1-5-32-562", "", "Distributed COM Users"},
	{"S-1-5-32-568", "IS", "IIS_IUSRS"},
	{"S-1-5-32-569", "CY", "Cryptographic Operators"},
	{"S-1-5-32-573", "ER", "Event Log Readers"},
	{"S-1-5-32-574", "CD", "Certificate Service DCOM Access"},
	{"S-1-5-32-575", "RA", "RDS Remote Access Servers"},
	{"S-1-5-32-576", "ES", "RDS Endpoint Servers"},
	{"S-1-5-32-577", "MS", "RDS Management Servers"},
	{"S-1-5-32-578", "HA", "Hyper-V Administrators"},
	{"S-1-5-32-579", "AA", "Access Control Assistance Operators"},
	{"S-1-5-32-580", "RM", "Remote Management Users"},
	{"S-1-5-32-581", "", "System Managed Accounts Group"},
	{"S-1-5-32-582", "", "Storage Replica Administrators"},
	{"S-1-5-32-583", "", "Device Owners"},
	{"S-1-15-2-1", "AC", "ALL APPLICATION PACKAGES"},
	{"S-1-15-2-2", "", "ALL RESTRICTED APPLICATION PACKAGES"},
	{"S-1-15-3-1", "", "internetClient (app capability)"},
	{"S-1-15-3-2", "", "internetClientServer (app capability)"},
	{"S-1-15-3-3", "", "privateNetworkClientServer (app capability)"},
	{"S-1-15-3-4", "", "picturesLibrary (app capability)"},
	{"S-1-15-3-5", "", "videosLibrary (app capability)"},
	{"S-1-15-3-6", "", "musicLibrary (app capability)"},
	{"S-1-15-3-7", "", "documentsLibrary (app capability)"},
	{"S-1-15-3-8", "", "enterpriseAuthentication (app capability)"},
	{"S-1-15-3-9", "", "sharedUserCertificates (app capability)"},
	{"S-1-15-3-10", "", "removableStorage (app capability)"},
	{"S-1-16-0", "", "untrusted integrity"},
	{"S-1-16-4096", "LW", "low integrity"},
	{"S-1-16-8192", "ME", "medium integrity"},
	{"S-1-16-8448", "MP", "medium plus integrity"},
	{"S-1-16-12288", "HI", "high integrity"},
	{"S-1-16-16384", "SI", "system integrity"},
	{"S-1-16-20480", "", "protected process integrity"},
	{"S-1-18-1", "AS", "authentication authority asserted identity"},
	{"S-1-18-2", "SS", "service asserted identity"},
	{"S-1-19-512-4096", "", "protected process light, Windows"},
	{"S-1-19-512-8192", "", "protected process light, WinTCB"},
	{"S-1-19-1024-4096", "", "protected process, Windows"},
	{"S-1-19-1024-8192", "", "protected process, WinTCB"},
}

// domainRIDs are the relative identifiers that have the same meaning in every machine or domain.
var domainRIDs = [...]struct {
	rid  uint32
	name string
}{
	{498, "Enterprise Read-only Domain Controllers"},
	{500, "Administrator"}, {501, "Guest"}, {502, "krbtgt"}, {503, "DefaultAccount"}, {504, "WDAGUtilityAccount"},
	{512, "Domain Admins"}, {513, "Domain Users"}, {514, "Domain Guests"}, {515, "Domain Computers"},
	{516, "Domain Controllers"}, {517, "Cert Publishers"}, {518, "Schema Admins"}, {519, "Enterprise Admins"},
	{520, "Group Policy Creator Owners"}, {521, "Read-only Domain Controllers"}, {522, "Cloneable Domain Controllers"},
	{525, "Protected Users"}, {526, "Key Admins"}, {527, "Enterprise Key Admins"}, {553, "RAS and IAS Servers"},
}

// serviceName returns the service with a SID S-1-5-80-…: the five numbers are the SHA-1 of its name in upper case, UTF-16LE.
// It tries the services that descriptors in Windows images name.
func serviceName(s SID) string {
	for _, name := range [...]string{
		"TrustedInstaller", "WdiServiceHost", "WdiSystemHost", "EventLog", "MpsSvc", "BFE", "WinDefend", "Dhcp", "Dnscache",
		"NlaSvc", "netprofm", "WlanSvc", "dot3svc", "Wcmsvc", "WwanSvc", "wscsvc", "Winmgmt", "AudioSrv", "AudioEndpointBuilder",
		"BITS", "wuauserv", "UsoSvc", "DoSvc", "WaaSMedicSvc", "CryptSvc", "Spooler", "Schedule", "W32Time", "SysMain",
		"DPS", "PcaSvc", "DiagTrack", "diagnosticshub.standardcollector.service", "RpcSs", "RpcEptMapper", "DcomLaunch",
		"LanmanServer", "LanmanWorkstation", "TermService", "SessionEnv", "UmRdpService", "PolicyAgent", "IKEEXT", "iphlpsvc",
		"WSearch", "AppXSvc", "ClipSVC", "StateRepository", "AppReadiness", "InstallService", "LicenseManager", "sppsvc",
		"vmms", "vmcompute", "HvHost", "NetSetupSvc", "SharedAccess", "RemoteRegistry", "PlugPlay", "DeviceInstall", "DsmSvc",
		"SensorService", "lfsvc", "WpnService", "UserManager", "ProfSvc", "gpsvc", "Themes", "FontCache", "FontCache3.0.0.0",
		"TrkWks", "VSS", "swprv", "defragsvc", "SDRSVC", "wbengine", "WerSvc", "wercplsupport", "pla", "FDResPub", "fdPHost",
		"SSDPSRV", "upnphost", "WMPNetworkSvc", "MSDTC", "KtmRm", "EapHost", "RasMan", "RemoteAccess", "SstpSvc", "NetTcpPortSharing",
		"WinRM", "ALG", "W3SVC", "WAS", "AppHostSvc", "IISADMIN", "MSSQLSERVER", "SQLSERVERAGENT", "NTDS", "DNS", "Kdc",
	} {
		if slices.Equal(serviceSID(name), s) {
			return name
		}
	}
	return ""
}
