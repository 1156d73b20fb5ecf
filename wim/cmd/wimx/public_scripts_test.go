//go:build linux

package main

// publicPrograms are programs that call wimlib-imagex, most of them on GitHub, with the calls that they make. The lines are
// rewritten for the media of plantMedia; they keep options, their order and spelling, and how the output is parsed.
var publicPrograms = []publicProgram{
	{name: "UUP dump converter", env: []string{"WIMLIB_IMAGEX_IGNORE_CASE=1"}, text: `
		wimlib-imagex capture drivers packages.esd >/dev/null
		mkdir ISODIR
		wimlib-imagex apply media.esd 1 ISODIR --no-acls 2>/dev/null
		wimlib-imagex export media.esd 2 winre.wim --compress=maximum --boot
		cp winre.wim ISODIR/sources/boot.wim
		wimlib-imagex info ISODIR/sources/boot.wim 1 "Microsoft Windows PE" "Microsoft Windows PE" --image-property FLAGS=9 >/dev/null
		wimlib-imagex extract ISODIR/sources/boot.wim 1 --dest-dir=tmp /Windows/System32/config/SOFTWARE --no-acls >/dev/null
		wimlib-imagex update ISODIR/sources/boot.wim 1 --command "add tmp/SOFTWARE /Windows/System32/config/SOFTWARE" >/dev/null
		wimlib-imagex update ISODIR/sources/boot.wim 1 --command "add ISODIR/sources/background_cli.bmp /Windows/system32/winre.jpg" >/dev/null
		wimlib-imagex update ISODIR/sources/boot.wim 1 --command "delete /Windows/System32/winpeshl.ini" >/dev/null
		wimlib-imagex export winre.wim 1 ISODIR/sources/boot.wim "Microsoft Windows Setup" "Microsoft Windows Setup"
		wimlib-imagex extract media.esd 3 /Windows/System32/xmllite.dll --no-acls --dest-dir=ISODIR/sources >/dev/null
		wimlib-imagex info ISODIR/sources/boot.wim 2 --image-property FLAGS=2 >/dev/null
		wimlib-imagex info ISODIR/sources/boot.wim 2 --boot >/dev/null
		printf '%s\n' "delete /Windows/System32/winpeshl.ini" "add ISODIR/setup.exe /setup.exe" "add ISODIR/sources/inf/setup.cfg /sources/inf/setup.cfg" "add ISODIR/sources/background_cli.bmp /sources/background.bmp" >update.txt
		wimlib-imagex update ISODIR/sources/boot.wim 2 <update.txt >/dev/null
		wimlib-imagex optimize ISODIR/sources/boot.wim
		wimlib-imagex info media.esd 4 | grep -i "^Edition ID:" | sed "s/.*  //g"
		wimlib-imagex info media.esd 4 | grep -i "^Build:" | sed "s/.*  //g"
		wimlib-imagex info media.esd 4 | grep -i "^Service Pack Build:" | sed "s/.*  //g"
		wimlib-imagex info media.esd 4 | grep -i "^Architecture:" | sed "s/.*  //g"
		wimlib-imagex info media.esd 4 | grep -i "^Default Language:" | sed "s/.*  //g"
		wimlib-imagex export media.esd 4 ISODIR/sources/install.wim "Windows 11 Professional" --compress=maximum --ref="pack*.esd" --ref "./*.esd"
		wimlib-imagex info ISODIR/sources/install.wim 1 --image-property FLAGS="Professional" >/dev/null
		wimlib-imagex update ISODIR/sources/install.wim 1 --command "add boot.wim /Windows/System32/Recovery/winre.wim"
		wimlib-imagex info ISODIR/sources/install.wim
	`},
	{name: "UUP dump converter to ESD", env: []string{"WIMLIB_IMAGEX_IGNORE_CASE=1"}, text: `
		wimlib-imagex export media.esd 4 install.esd "Windows 11 Pro" --solid --ref="*.esd"
		wimlib-imagex export media.esd 5 install.esd "Windows 11 Home" --solid --ref="*.esd"
		wimlib-imagex info install.esd 2 --image-property FLAGS="Core" >/dev/null
		wimlib-imagex info install.esd | grep -c ^Index:
	`},
	{name: "UUP dump converter for Windows", text: `
		cp boot.wim b.wim
		wimlib-imagex info b.wim 1 "Microsoft Windows PE (x64)" "Microsoft Windows PE (x64)" --image-property FLAGS=9
		wimlib-imagex update b.wim 1 --command="delete '\Windows\System32\winpeshl.ini'"
		wimlib-imagex export install.wim 1 two.wim && wimlib-imagex export install.wim 2 two.wim
		wimlib-imagex info two.wim 1 "Windows 11 Pro x86" "Windows 11 Pro x86" --image-property DISPLAYNAME="Windows 11 Pro x86" --image-property DISPLAYDESCRIPTION="Windows 11 Pro x86"
		wimlib-imagex info two.wim 1 | grep "^Name"
		wimlib-imagex info two.wim --header | grep -i "Image Count"
	`},
	{name: "dockur/windows, ESD by awk", text: `
		wimlib-imagex info media.esd | awk '/Image Count:/ {print $3}'
		mkdir out
		wimlib-imagex apply media.esd 1 out --quiet 2>/dev/null
		wimlib-imagex export media.esd 2 out/sources/boot.wim --compress=LZX --chunk-size 32K --quiet
		wimlib-imagex export media.esd 3 out/sources/boot.wim --compress=LZX --chunk-size 32K --boot --quiet
		for i in 4 5; do wimlib-imagex info media.esd $i | grep '^Description:' | sed 's/Description:[ \t]*//'; done
		wimlib-imagex export media.esd 4 out/sources/install.wim --compress=LZMS --chunk-size 128K --quiet
		wimlib-imagex info out/sources/boot.wim
	`},
	{name: "dockur/windows, ESD by XML", text: `
		wimlib-imagex info media.esd --xml 2>/dev/null | iconv -f UTF-16LE -t UTF-8 | tail -c +4
		mkdir out
		wimlib-imagex apply media.esd 1 out --quiet 2>/dev/null
		wimlib-imagex export media.esd 2 out/sources/boot.wim --compress=none --quiet
		wimlib-imagex export media.esd 3 out/sources/boot.wim --compress=none --boot --quiet
		mv media.esd out/sources/install.esd
		for i in 5 3 2 1; do wimlib-imagex delete out/sources/install.esd $i --soft --quiet || exit; done
		wimlib-imagex info out/sources/install.esd --xml 2>/dev/null | iconv -f UTF-16LE -t UTF-8 | grep -o '<IMAGE INDEX="1">'
		wimlib-imagex info out/sources/install.esd
	`},
	{name: "dockur/windows, answer file and drivers", text: `
		wimlib-imagex info -xml boot.wim | tr -d '\000' | grep -c '<IMAGE INDEX="2">'
		wimlib-imagex update boot.wim 2 --command "delete --force --recursive /\$WinPEDriver\$" >/dev/null || true
		mkdir -p stage/\$WinPEDriver\$ && cp -r drivers/net stage/\$WinPEDriver\$
		wimlib-imagex update boot.wim 2 --command "add stage/\$WinPEDriver\$ /\$WinPEDriver\$" >/dev/null
		wimlib-imagex update boot.wim 2 --command "add autounattend.xml /autounattend.xml" >/dev/null
		wimlib-imagex update boot.wim 2 --command "add autounattend.xml /autounattend.dat" >/dev/null
		wimlib-imagex dir boot.wim 2 --path='/$WinPEDriver$'
		wimlib-imagex extract boot.wim 2 /autounattend.xml --dest-dir=back --no-acls --no-attributes
	`},
	{name: "mkwinpeimg", text: `
		wimlib-imagex export boot.wim 2 --boot winpe.wim
		printf "rename /setup.exe /setup.exe.orig\nrename /sources/setup.exe /sources/setup.exe.orig\nadd 'new/startnet.cmd' '/startnet.cmd'\ndelete --force /Windows/System32/winpeshl.ini\nadd 'new/winpeshl.ini' /Windows/System32/winpeshl.ini\nadd 'drivers' /\n" >cmds
		WIMLIB_IMAGEX_IGNORE_CASE=1 wimlib-imagex update winpe.wim --rebuild < cmds > /dev/null
		wimlib-imagex dir winpe.wim
		mkwinpeimg --version >/dev/null 2>&1 || true
	`},
	{name: "w11arm_esd2iso", text: `
		wiminfo media.esd | awk '/Image Count:/ {print $3}'
		mkdir work
		wimapply media.esd 1 work --quiet 2>/dev/null
		wimexport media.esd 2 work/sources/boot.wim --compress=LZX --chunk-size 32K --quiet
		wimexport media.esd 3 work/sources/boot.wim --compress=LZX --chunk-size 32K --boot --quiet
		for i in 4 5; do wiminfo media.esd $i | grep "^Description:" | sed "s/Description:[ \t]*//"; wimexport media.esd $i work/sources/install.wim --compress=LZMS --chunk-size 128K --quiet; done
		wiminfo work/sources/install.wim | grep -E "^(Index|Name)"
	`},
	{name: "splitting for FAT32 (bootiso, WoeUSB, rufus-like)", text: `
		mkdir -p usb/sources
		wimlib-imagex split install.wim usb/sources/install.swm 1
		ls usb/sources
		wimlib-imagex verify usb/sources/install.swm --ref="usb/sources/install*.swm"
		wimlib-imagex info usb/sources/install.swm | grep -e "Part Number" -e "Image Count"
		wimlib-imagex info usb/sources/install2.swm | grep "Part Number"
		wimlib-imagex info usb/sources/install2.swm 2
		for f in usb/sources/install?.swm; do wimlib-imagex verify $f; echo $?; done
		# wimx then has part 1, and looks at the images too
		wimlib-imagex verify usb/sources/install2.swm --ref="usb/sources/*.swm" >/dev/null
		wimlib-imagex dir usb/sources/install2.swm 1
		wimlib-imagex apply usb/sources/install2.swm 1 out
		wimlib-imagex info usb/sources/install2.swm --blobs | grep -c "Part Number       = 2"
		wimlib-imagex apply usb/sources/install.swm 2 out --ref="usb/sources/install*.swm"
		wimjoin joined.wim usb/sources/install*.swm
	`},
	{name: "image validation by split and checksums", text: `
		wimsplit install.wim install.swm 4000 --check
		wimverify install.swm --ref="install*.swm"
		wiminfo install.swm | grep Attributes
	`},
	{name: "cobbler", text: `
		wimextract boot.wim 1 /Windows/System32/config/SOFTWARE --dest-dir=hives --no-acls --no-attributes
		wimupdate boot.wim 1 --command="add SOFTWARE /Windows/System32/config/SOFTWARE"
		wimupdate boot.wim --command="add new/startnet.cmd /Windows/System32/startnet.cmd"
		wimupdate boot.wim 2 --command="add new/startnet.cmd /Windows/System32/startnet.cmd"
		wimdir boot.wim 1 | grep -i "^/Windows/System32/config/SOFTWARE$" | head -1
		wimexport boot.wim 1 winpe.wim --boot
	`},
	{name: "opsi", text: `
		wimlib-imagex capture trees/plain c.wim "" "some words" --boot --dereference --unix-data
		wimlib-imagex capture trees/plain d.wim name
		wimlib-imagex info c.wim --xml --header | tr -d '\000\377\376' | sed 's/<WIM>.*//'
		wimlib-imagex info c.wim
	`},
	{name: "bin456789/reinstall", text: `
		wiminfo install.wim | grep "^Image Count:" | cut -d: -f2 | xargs
		wiminfo install.wim | grep ^Name: | sed 's/^Name: *//'
		wiminfo install.wim | grep -ix "Name:[[:blank:]]*windows 11 home" | cut -d: -f2 | xargs
		wiminfo install.wim 1 | grep Architecture: | awk '{print $2}' | tr A-Z a-z
		for p in "Major Version" "Minor Version" Build "Product Type" "Installation Type" "Service Pack Build" "Default Language" Architecture; do wiminfo install.wim "Windows Server 2025 Datacenter" | grep -i "^$p:" | cut -d: -f2- | xargs; done
		wiminfo install.wim "Windows 11 Pro" --image-property WINDOWS/INSTALLATIONTYPE=Server
		wiminfo install.wim "Windows 11 Pro" | grep "^Installation Type"
		wimdir install.wim "Windows 11 Pro" | grep -i "/Windows/System32/config/SOFTWARE$"
		wimextract install.wim "Windows 11 Pro" /Windows/System32/config/SOFTWARE --dest-dir hive
		printf 'add drivers/net /drivers/net\nadd new/winpeshl.ini /Windows/System32/winpeshl.ini\n' | wimupdate boot.wim 2
		wimexport install.wim "Windows 11 Pro" one.wim && wiminfo one.wim 1 --boot
		wimdelete install.wim 2 && wiminfo install.wim | grep ^Name
	`},
	{name: "tiny11 and debloat scripts", env: []string{"WIMLIB_IMAGEX_IGNORE_CASE=1"}, text: `
		wimlib-imagex info install.wim | grep -c "^Index:" || echo 0
		wimlib-imagex dir install.wim 1 --path="/Windows/System32/DriverStore/FileRepository" 2>/dev/null | grep -v "^/Windows/System32/DriverStore/FileRepository$" | grep -iE "prn|scan" | sort
		printf '%s\n' 'delete --recursive --force "/Program Files (x86)/Microsoft/Edge"' 'delete --recursive --force "/Program Files (x86)/Microsoft/EdgeUpdate"' 'delete --force "/Windows/System32/OneDriveSetup.exe"' 'delete --force "/Windows/System32/nothing.exe"' "delete --recursive --force '/Windows/System32/DriverStore/FileRepository/prnms1.inf_amd64'" >cmd.txt
		wimlib-imagex update install.wim 1 <cmd.txt
		wimlib-imagex update install.wim 2 --command "delete --force --recursive '\Program Files (x86)\Microsoft\Edge'"
		printf 'delete --recursive --force "/Windows/WinSxS/Backup"\ndelete --recursive --force "/Windows/WinSxS/Temp"\n' | wimlib-imagex update install.wim 3 >/dev/null 2>&1 || true
		wimlib-imagex update install.wim 3 --command "delete /Program Files/WindowsApps"
		wimlib-imagex update install.wim 3 --command "delete '/Program Files/WindowsApps'"
		wimlib-imagex update install.wim 3 --command "delete --recursive '/program files/windowsapps'"
		wimlib-imagex optimize install.wim --recompress
		wimlib-imagex verify install.wim
	`},
	{name: "WinPE with a command file", text: `
		printf '# nothing\n\nadd "new/startnet.cmd" "/Windows/System32/start it.cmd"\nadd "drivers/storage disk" /Drivers/disk\n' >u.txt
		wimlib-imagex update boot.wim 2 < u.txt
		wimlib-imagex dir boot.wim 2 --path=/Drivers 2>/dev/null | wc -l
		wimlib-imagex update boot.wim 2 --check --rebuild <u.txt
		wimlib-imagex verify boot.wim
		for f in cmd.exe startnet.cmd absent.exe; do wimlib-imagex dir boot.wim 2 --path="Windows/System32/$f" >/dev/null || echo no $f; done
		wimlib-imagex extract boot.wim 2 Windows/System32/winpeshl.ini Windows/System32/startnet.cmd --dest-dir=extracted --no-acls >/dev/null
		wimlib-imagex extract boot.wim 2 Windows/System32/absent.ini --dest-dir=extracted --no-acls
	`},
	{name: "WinPE over a here-document", text: `
		wiminfo boot.wim | awk '/^Image Count:/ { print $NF }'
		for i in 1 2; do printf 'delete --force /Windows/System32/winpeshl.ini\ndelete --force /Windows/System32/startnet.cmd\nadd new/startnet.cmd /Windows/System32/startnet.cmd\n' | wimupdate boot.wim $i >/dev/null; done
		wimlib-imagex update boot.wim 1 --command="add new/startnet.cmd /a" --command="add new/startnet.cmd /b"
		wimupdate boot.wim 1 --command="frobnicate /a"
		wimupdate boot.wim 1 --command="add nosuchfile /a"
		wimupdate boot.wim 9 --command="delete /setup.exe"
		wimupdate boot.wim --command="delete /setup.exe"
		echo "rename /setup.exe /SETUP2.EXE" | wimupdate boot.wim 1
		wimlib-imagex info boot.wim | awk '/^Index:/{idx=$2} /^Name:/{ if ($0 ~ /Setup/) { print idx; exit } }'
	`},
	{name: "iVentoy-like and PXE servers", text: `
		wimexport boot.wim 1 pe.wim >/dev/null 2>&1 && wimupdate pe.wim 1 --command="add new/startnet.cmd /Windows/System32/startnet.cmd" >/dev/null 2>&1 && wiminfo pe.wim 1 --boot >/dev/null 2>&1
		wiminfo pe.wim
		wimexport boot.wim 2 e.wim --boot --rebuild > /dev/null 2>&1
		wimexport boot.wim 1 e.wim --boot --rebuild
		wimlib-imagex info boot.wim --header 2>/dev/null | awk -F'[: ]+' 'tolower($0) ~ /^boot index/ { print $NF; exit }'
		wimlib-imagex extract boot.wim 2 /Windows/Boot/PCAT/bootmgr --dest-dir=pcat --no-acls >/dev/null
		wimlib-imagex extract media.esd 1 /boot --dest-dir=m --no-acls
		wimlib-imagex extract media.esd 1 /efi/microsoft --dest-dir=m/EFI --no-acls
		wimlib-imagex info boot.wim all
	`},
	{name: "WoR-flasher", text: `
		wimextract media.esd 1 boot efi --dest-dir=bootpart
		mkdir -p bootpart/sources
		wimexport media.esd 2 bootpart/sources/boot.wim --compress=LZX
		wimexport media.esd 3 bootpart/sources/boot.wim --compress=LZX --boot
		for i in 1 2 3; do wimdelete media.esd 1 --soft || exit; done
		wiminfo media.esd | grep -E "^(Index|Name|Boot Index|Image Count)"
		wimverify bootpart/sources/boot.wim
	`},
	{name: "patool-like archivers", text: `
		wimlib-imagex capture "trees/plain" "a b.wim"
		wimlib-imagex extract "a b.wim" 1 --dest-dir "out dir"
		wimlib-imagex dir "a b.wim" | grep kernel.bin
		wimlib-imagex extract "a b.wim" 1 setup.exe
		wimcapture trees/plain documents.wim --no-acls --compress=none
		wimapply documents.wim out2 2>/dev/null
		wimcapture --unix-data --solid --solid-chunk-size=16M trees/plain perl.wim
		wimcapture trees/plain solid.wim --compress=LZMS --solid --threads=1 >/dev/null
		for m in XPRESS LZX LZMS; do wimlib-imagex capture trees/plain $m.wim --compress=$m || exit; done
		for m in lzx:max zip LZX:0 lzx:; do wimlib-imagex capture trees/plain n.wim --compress=$m; echo $?; done
	`},
	{name: "backup with rotation", text: `
		wimcapture trees/plain backup.wim first --check --compress=fast --no-acls
		wimappend new backup.wim second --check --no-acls
		wimappend trees/plain backup.wim third --update-of=1 --check
		wimappend trees/plain backup.wim third
		wimappend trees/plain backup.wim
		wiminfo backup.wim | grep "Image Count" | cut -d: -f2
		wimdelete backup.wim 1 --unsafe-compact
		wimoptimize backup.wim --check --unsafe-compact
		wimlib-imagex verify backup.wim --nocheck
		wimverify backup.wim && wimverify backup.wim --quiet
		wimcapture trees/large full.wim full && wimcapture trees/large delta.wim delta --delta-from=full.wim --update-of=full.wim:1
		wimapply delta.wim 1 restored --ref=full.wim
		wimverify delta.wim --ref="f*.wim"
		wimverify delta.wim --ref="none*.wim"
		rm delta.wim
	`},
	{name: "fonts from an image", text: `
		wimextract install.wim 1 /Windows/Fonts/"*".ttf /Windows/Fonts/"*".ttc /Windows/System32/Licenses/neutral/_Default/"*"/license.rtf --dest-dir fonts
		wimextract install.wim 1 "/Windows/Fonts/*.otf" --dest-dir fonts
		wimextract install.wim 1 "/Windows/Fonts/*.otf" --dest-dir fonts --nullglob
		wimlib-imagex dir install.wim 1 --detailed --path=/Windows/Fonts 2>/dev/null | awk '/^Full Path/ { n = $NF; gsub(/[\\"]/, "", n); sub(/.*\//, "", n); next } /^Hash/ && n != "" && $NF !~ /^0x0+$/ { print tolower(n), substr($NF, 3), n; n = "" }' | sort
		wimlib-imagex dir install.wim 1 --path='\Windows\Web'
		wimlib-imagex extract install.wim 3 '\Windows\Web\Wallpaper' --dest-dir=wp
		wimextract install.wim 1 --dest-dir=./acer 'Program Files (x86)/Microsoft/*'
	`},
	{name: "candidates by list on standard input", env: []string{"WIMLIB_IMAGEX_IGNORE_CASE=1"}, text: `
		printf '/windows/system32/config/software\n# comment\n; too\n\n\\Windows\\Fonts\\*.ttf\n"/Program Files (x86)/Microsoft/EdgeUpdate"\n' | wimlib-imagex extract install.wim 1 @- --dest-dir=c --preserve-dir-structure --no-acls --no-attributes
		printf '/Windows/Web\n/none\n' >list
		wimextract install.wim 1 @list --dest-dir=c2 --nullglob
		wimextract install.wim 1 @list --dest-dir=c3
		wimextract install.wim 1 @none --dest-dir=c3
		wimlib-imagex dir boot.wim 1 --path=/windows/system32/CMD.EXE
	`},
	{name: "one file to standard output", text: `
		wimextract install.wim 1 /Windows/System32/Recovery/Winre.txt --to-stdout
		wimextract install.wim 1 /Windows/System32/config/SOFTWARE --to-stdout | md5sum
		wimlib-imagex extract install.wim 1 /Windows/Fonts/readme.txt /setup.exe --to-stdout
		wimlib-imagex extract install.wim 1 /Windows/Fonts --to-stdout
		wimextract install.wim 1 --to-stdout
		wimextract install.wim 1 Windows/explorer.exe --to-stdout --quiet > explorer.exe
	`},
	{name: "pipes", text: `
		wimcapture trees/plain - > pipe.wim 2>/dev/null
		wimapply - 1 o1 < pipe.wim | grep -v '^Applying'
		cat pipe.wim | wimlib-imagex apply - o2 | grep -v '^Applying'
		wimexport install.wim 1 - 2>/dev/null > p2.wim
		wimexport boot.wim 2 p3.wim --pipable
		wimoptimize p3.wim --not-pipable
		wimcapture trees/plain --compress=none - 2>/dev/null | wimapply - 1 o3 | grep -v '^Applying'
		wimapply - o4 --index=1 < pipe.wim
		wimexport boot.wim all - --boot 2>/dev/null | wc -c | grep -c .
	`},
	{name: "driver packages by PowerShell", text: `
		wimlib-imagex capture drivers drv.wim Windows_11_x64 Windows_11_x64 --compress=LZMS --check --no-acls --include-integrity
		wimlib-imagex capture drivers drv2.wim "" "Windows_11" --image-property DESCRIPTION=other --flags=9
		wimlib-imagex info drv2.wim
		wimlib-imagex capture drivers drv3.wim name words --flags=9 --image-property FLAGS=8 --image-property=DESCRIPTION=other && wiminfo drv3.wim | grep ^Flags
		wimlib-imagex append drivers drv3.wim --image-property FLAGS=8 --flags=9 --update-of=name && wiminfo drv3.wim 2 | grep ^Flags
		wimlib-imagex extract install.wim 1 Windows/System32/Recovery/Winre.txt --no-acls
		wimlib-imagex delete install.wim 3
		wimlib-imagex export boot.wim all esd.esd --solid
		wimlib-imagex export boot.wim all max.wim --compress=recovery
		wimlib-imagex export boot.wim all wb.wim --wimboot --boot --compress=LZX
		wimlib-imagex optimize boot.wim --recompress --nocheck
	`},
	{name: "properties", text: `
		wimlib-imagex info install.wim 1 --image-property NAME="W" --image-property DESCRIPTION="W d" --image-property FLAGS="EnterpriseG" --image-property DISPLAYNAME="W" --image-property DISPLAYDESCRIPTION="W"
		wimlib-imagex info install.wim 1 --image-property NAME="W"
		wimlib-imagex info install.wim 2 "W"
		wimlib-imagex info install.wim 2 "New" ""
		wimlib-imagex info install.wim 2 "New"
		wimlib-imagex info install.wim 2 "New" "about it" --check
		wiminfo install.wim 3 --boot && wiminfo install.wim 3 --boot
		wiminfo install.wim 0 --boot
		wiminfo install.wim 9 name
		wiminfo install.wim --boot
		wiminfo install.wim 1 --image-property WINDOWS/LANGUAGES/LANGUAGE[2]=de-DE --image-property WINDOWS/VERSION/SPBUILD=1
		wiminfo install.wim 1 --image-property nothing
		wiminfo install.wim
	`},
	{name: "editions for choice", text: `
		wimlib-imagex info media.esd | awk -v want="Windows 11 Pro" '/^Index:/{i=$2} $0 ~ "^Name: +" want "$" {print i; exit}'
		wiminfo media.esd 2>/dev/null | sed -n 's/^Name:[[:space:]]*//p'
		wiminfo install.wim | grep -B1 "Name:.*Windows 11 Home" | grep "Index:" | awk '{print $2}' | head -1
		wiminfo install.wim 2>/dev/null | grep -i "windows 11 pro" -B5 | grep "^Index" | awk '{print $2}' | head -1
		wiminfo install.wim | grep -E '^(Index|Name|Description|Architecture|Build|Service Pack Build|Display Name|Edition ID)'
		wiminfo install.wim | grep -m1 -E '^Architecture' | awk -F': *' '{print $2}' | tr -d '\r'
		wimlib-imagex info *.esd *.wim 2>/dev/null | grep -B 10 "x86_64" | grep "Path:" | awk '{print $2}' | head -n 1
		wiminfo media.esd --header | awk -F= '/^Image Count/ {gsub(/ /,"",$2); print $2}'
		wimlib-imagex info media.esd 4 >/dev/null 2>&1; echo $?
		wimlib-imagex info media.esd 12 >/dev/null 2>&1; echo $?
		wiminfo media.esd -xml 2>&1 | tr -d '\0\200-\377' | sed -n 's/.*<DISPLAYNAME>\s*\([^<]*\)<\/.*/\1/p'
		wiminfo --xml install.wim | tr -d '\000' | grep -o '<EDITIONID>[^<]*'
		wiminfo install.wim --extract-xml=doc.xml
		wiminfo install.wim --extract-xml doc2.xml && cmp doc.xml doc2.xml
		wimlib-imagex info SOFTWARE
		wimlib-imagex info nosuch.wim
		wimlib-imagex info install.wim --blobs | grep -c ^Hash
		wimlib-imagex info install.wim --lookup-table | grep -e ^Ref -e ^Flags | sort | uniq -c
		wimlib-imagex info install.wim --check | tail -3
	`},
	{name: "kiln", text: `
		mkdir -p d/sources
		wimlib-imagex export boot.wim 2 d/sources/boot.wim --boot >/dev/null && printf 'add %s /Windows/System32/startnet.cmd\nadd %s /Windows/System32/winpeshl.ini\n' new/startnet.cmd new/winpeshl.ini | wimlib-imagex update d/sources/boot.wim 1 >/dev/null
		wimlib-imagex extract d/sources/boot.wim 1 /Windows/System32/startnet.cmd --to-stdout
	`},
	{name: "macOS installer with AI node", text: `
		wimlib-imagex export install.wim "Windows 11 Pro" pro.wim "Windows 11 Pro" --compress=LZX
		wimlib-imagex split pro.wim install.swm 3800
		wimlib-imagex export install.wim "No such edition" pro2.wim
		printf 'add "new/startnet.cmd" "/Windows/System32/prepare.cmd"\nadd "autounattend.xml" "/Windows/System32/a b.xml"\n' > boot-update.txt
		wimlib-imagex update boot.wim 2 < boot-update.txt
		wimlib-imagex split install.wim wild.swm 0.5 2>&1 | tail -1
	`},
	{name: "registry patches", text: `
		wimextract install.wim 2 /Windows/System32/config/SOFTWARE --dest-dir=.
		wimextract install.wim 2 /Windows/System32/config/SYSTEM --dest-dir=.
		printf 'add SOFTWARE /Windows/System32/config/SOFTWARE\nadd SYSTEM /Windows/System32/config/SYSTEM\n' | wimupdate install.wim 2
		wimoptimize install.wim
		wimextract boot.wim 2 /Users/Default/NTUSER.DAT --dest-dir=nt
		wimoptimize boot.wim --recompress --compress=LZX:100
		wimoptimize boot.wim --include-integrity --recompress --solid --solid-compress=maximum:100 --not-pipable
		wimexport boot.wim 1 b1.wim && wimoptimize b1.wim --solid
	`},
	{name: "NixOS tests", text: `
		mkdir -p root/Windows/System32 && echo wpeinit > root/Windows/System32/startnet.cmd
		wimcapture root test.wim
		wimupdate test.wim 1 --command="add new/startnet.cmd /Windows/System32/startnet.cmd"
		mkdir -p extracted
		wimextract test.wim 1 /Windows/System32/startnet.cmd --dest-dir=extracted
		grep -Fq wpeinit extracted/startnet.cmd
		wimexport boot.wim 2 custom.wim && wimoptimize custom.wim --recompress --solid --solid-compress=lzms
	`},
	{name: "source lists", text: `
		printf '"trees/plain" "/plain"\n"drivers/net" "/drivers/net card"\n"autounattend.xml" /a.xml\n' > list
		wimlib-imagex capture list many.wim --source-list --compress=LZX --check
		wimlib-imagex dir many.wim
		printf '[ExclusionList]\n*.cmd\n/Data/Boot\n\n[ExclusionException]\n/Data/System32/startnet.cmd\n' > config.ini
		wimcapture trees/plain ex.wim --no-acls --config=config.ini
		wimdir ex.wim
		wimcapture trees/plain ex2.wim --config=absent.ini
	`},
	{name: "capture of WinPE", text: `
		wimlib-imagex capture trees/pe new.wim WinPE --compress=none
		wimlib-imagex append trees/pe new.wim Setup
		wiminfo new.wim
		wimlib-imagex update new.wim 2 --command="delete --recursive /Windows"
		wimlib-imagex update new.wim 1 --command="add SOFTWARE /Windows/System32/config/SOFTWARE"
		wiminfo new.wim | grep -c Architecture
	`},
	{name: "what people mistype", text: `
		wimapply media.esd 9 o
		wimapply media.esd o
		wimapply media.esd 2 o && wimapply media.esd 2 o
		wimextract boot.wim 1 /Windows/Boot /setup.exe --dest-dir=e
		wimextract boot.wim 1 / --dest-dir=root
		wimextract boot.wim 1 '' --dest-dir=root2
		wimextract boot.wim 1 '*' --dest-dir=star
		wimextract boot.wim 1 '/*/*/cmd.exe' --dest-dir=p --preserve-dir-structure
		wimextract boot.wim 1 /setup.exe /SETUP.EXE --dest-dir=o
		wimextract boot.wim 0 /setup.exe
		wimextract boot.wim all /setup.exe
		wimdelete boot.wim 3
		wimexport media.esd 1 boot.wim 'Microsoft Windows PE (x86)'
		wimexport media.esd 1 boot.wim media --boot
		wimexport media.esd all n.wim --boot
		wimexport media.esd 2 n2.wim '' words
		wimappend drivers boot.wim media
		wimappend drivers none.wim n
		wimappend drivers none.wim n --create
		wimcapture drivers/. dot.wim
		wimcapture . self.wim --config=trees/none
		wimcapture drivers/net/ slash.wim && wiminfo slash.wim | grep ^Name
		wimcapture nosuch n3.wim
		wimsplit boot.wim part.with.dots.swm 0.2 && ls part*
		wimupdate boot.wim 1 --command='add new/startnet.cmd /a/b/c/d'
		wimupdate boot.wim 1 --command='delete /'
		wimupdate boot.wim 1 --command='rename /setup.exe /Windows'
		wimupdate boot.wim 1 --command='rename /setup.exe /new folder/x'
		wimupdate boot.wim 1 --command=''
		wimupdate boot.wim 1 --command='# nothing'
		wimupdate boot.wim 1 </dev/null
		wimupdate boot.wim </dev/null
		wimjoin j.wim boot.wim && rm j.wim
		wimverify boot.wim media.esd
		wimdir boot.wim 1 2
		wimdir boot.wim 1 --path=
		wimdir boot.wim 1 --path=Windows/
		wiminfo boot.wim --xml --header --blobs 1 | tr -d '\000' | grep -a -c WIM
		wimdelete boot.wim '*'
		wimdelete media.esd 1 && wiminfo media.esd | grep ^Name
	`},
	{name: "wimlib's own manual", text: `
		wimexport install.wim all new.wim --compress=LZMS --solid --rebuild --recompress --boot
		wimexport boot.wim all new.wim --compress=LZX --recompress --boot
		wimexport boot.wim 1 boot.wim
		wimexport boot.wim 1 boot.wim "another name" "and words" --boot
		wimlib-imagex append new boot.wim --boot
		wimdelete boot.wim "another name"
		wimdelete boot.wim "another name"
		wimlib-imagex apply boot.wim all applied
		wimapply boot.wim 1 applied/again --no-attributes --strict-acls
		wimapply boot.wim 1 applied/unix --unix-data
		wimapply boot.wim
		wimextract boot.wim
		wimlib-imagex extract boot.wim 1 --preserve-modes
		wimlib-imagex frobnicate >/dev/null 2>&1 || echo failed
		wimcapture >/dev/null; wimlib-imagex split boot.wim 2>/dev/null
		wimjoin out.wim boot.wim install.wim
		wimlib-imagex dir boot.wim 1 --one-file-only --path=/Windows
		wimlib-imagex dir boot.wim
		wimlib-imagex dir install.wim 2 --path=/Windows/explorer.exe --detailed
	`},
}
