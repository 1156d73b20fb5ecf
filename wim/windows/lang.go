package windows

import (
	"fmt"
	"strconv"
	"strings"
)

// languageName returns the name of a language, such as "de-DE", for its hexadecimal number in the registry; "" for an unknown one. It
// uses the last four of the leading hexadecimal digits.
func languageName(hex string) string {
	hex = strings.TrimLeft(hex, " \t\r\n\v\f")
	if len(hex) > 1 && hex[0] == '0' && hex[1]|0x20 == 'x' {
		hex = hex[2:]
	}
	n := 0
	for n < len(hex) && strings.IndexByte("0123456789abcdefABCDEF", hex[n]) >= 0 {
		n++
	}
	id, err := strconv.ParseUint(hex[max(n-16, 0):n], 16, 64)
	if err != nil {
		return ""
	}
	_, name, _ := strings.Cut(languageNames, fmt.Sprintf(" %04x", uint16(id)))
	name, _, _ = strings.Cut(name, " ")
	return name
}

// languageNames maps Windows' language identifiers, [MS-LCID] 2.2, to their names in the XML document; a neutral one has the name
// of its usual country. Determined by capturing hives with one identifier each with wimlib-imagex 1.13.5.
const languageNames = "" +
	" 0000en-US 0001ar-SA 0002bg-BG 0003ca-ES 0004zh-CN 0005cs-CZ 0006da-DK 0007de-DE 0008el-GR 0009en-US 000aes-ES" +
	" 000bfi-FI 000cfr-FR 000dhe-IL 000ehu-HU 000fis-IS 0010it-IT 0011ja-JP 0012ko-KR 0013nl-NL 0014nb-NO 0015pl-PL" +
	" 0016pt-BR 0017rm-CH 0018ro-RO 0019ru-RU 001ahr-HR 001bsk-SK 001csq-AL 001dsv-SE 001eth-TH 001ftr-TR 0020ur-PK" +
	" 0021id-ID 0022uk-UA 0023be-BY 0024sl-SI 0025et-EE 0026lv-LV 0027lt-LT 0028tg-Cyrl-TJ 0029fa-IR 002avi-VN 002bhy-AM" +
	" 002caz-Latn-AZ 002deu-ES 002ehsb-DE 002fmk-MK 0030st-ZA 0031ts-ZA 0032tn-ZA 0033ve-ZA 0034xh-ZA 0035zu-ZA 0036af-ZA" +
	" 0037ka-GE 0038fo-FO 0039hi-IN 003amt-MT 003bse-NO 003cga-IE 003dyi-001 003ems-MY 003fkk-KZ 0040ky-KG 0041sw-KE" +
	" 0042tk-TM 0043uz-Latn-UZ 0044tt-RU 0045bn-IN 0046pa-IN 0047gu-IN 0048or-IN 0049ta-IN 004ate-IN 004bkn-IN 004cml-IN" +
	" 004das-IN 004emr-IN 004fsa-IN 0050mn-MN 0051bo-CN 0052cy-GB 0053km-KH 0054lo-LA 0055my-MM 0056gl-ES 0057kok-IN" +
	" 0058mni-IN 0059sd-Arab-PK 005asyr-SY 005bsi-LK 005cchr-Cher-US 005diu-Latn-CA 005eam-ET 005ftzm-Latn-DZ" +
	" 0060ks-Arab-IN 0061ne-NP 0062fy-NL 0063ps-AF 0064fil-PH 0065dv-MV 0066bin-NG 0067ff-Latn-SN 0068ha-Latn-NG" +
	" 0069ibb-NG 006ayo-NG 006bquz-BO 006cnso-ZA 006dba-RU 006elb-LU 006fkl-GL 0070ig-NG 0071kr-NG 0072om-ET 0073ti-ER" +
	" 0074gn-PY 0075haw-US 0076la-001 0077so-SO 0078ii-CN 0079pap-029 007aarn-CL 007cmoh-CA 007ebr-FR 0080ug-CN 0081mi-NZ" +
	" 0082oc-FR 0083co-FR 0084gsw-FR 0085sah-RU 0086quc-Latn-GT 0087rw-RW 0088wo-SN 008cprs-AF 0091gd-GB 0092ku-Arab-IQ" +
	" 0400en-US 0401ar-SA 0402bg-BG 0403ca-ES 0404zh-TW 0405cs-CZ 0406da-DK 0407de-DE 0408el-GR 0409en-US" +
	" 040aes-ES_tradnl 040bfi-FI 040cfr-FR 040dhe-IL 040ehu-HU 040fis-IS 0410it-IT 0411ja-JP 0412ko-KR 0413nl-NL" +
	" 0414nb-NO 0415pl-PL 0416pt-BR 0417rm-CH 0418ro-RO 0419ru-RU 041ahr-HR 041bsk-SK 041csq-AL 041dsv-SE 041eth-TH" +
	" 041ftr-TR 0420ur-PK 0421id-ID 0422uk-UA 0423be-BY 0424sl-SI 0425et-EE 0426lv-LV 0427lt-LT 0428tg-Cyrl-TJ 0429fa-IR" +
	" 042avi-VN 042bhy-AM 042caz-Latn-AZ 042deu-ES 042ehsb-DE 042fmk-MK 0430st-ZA 0431ts-ZA 0432tn-ZA 0433ve-ZA 0434xh-ZA" +
	" 0435zu-ZA 0436af-ZA 0437ka-GE 0438fo-FO 0439hi-IN 043amt-MT 043bse-NO 043dyi-001 043ems-MY 043fkk-KZ 0440ky-KG" +
	" 0441sw-KE 0442tk-TM 0443uz-Latn-UZ 0444tt-RU 0445bn-IN 0446pa-IN 0447gu-IN 0448or-IN 0449ta-IN 044ate-IN 044bkn-IN" +
	" 044cml-IN 044das-IN 044emr-IN 044fsa-IN 0450mn-MN 0451bo-CN 0452cy-GB 0453km-KH 0454lo-LA 0455my-MM 0456gl-ES" +
	" 0457kok-IN 0458mni-IN 0459sd-Deva-IN 045asyr-SY 045bsi-LK 045cchr-Cher-US 045diu-Cans-CA 045eam-ET 045ftzm-Arab-MA" +
	" 0460ks-Arab-IN 0461ne-NP 0462fy-NL 0463ps-AF 0464fil-PH 0465dv-MV 0466bin-NG 0467ff-NG 0468ha-Latn-NG 0469ibb-NG" +
	" 046ayo-NG 046bquz-BO 046cnso-ZA 046dba-RU 046elb-LU 046fkl-GL 0470ig-NG 0471kr-NG 0472om-ET 0473ti-ET 0474gn-PY" +
	" 0475haw-US 0476la-001 0477so-SO 0478ii-CN 0479pap-029 047aarn-CL 047cmoh-CA 047ebr-FR 0480ug-CN 0481mi-NZ 0482oc-FR" +
	" 0483co-FR 0484gsw-FR 0485sah-RU 0486quc-Latn-GT 0487rw-RW 0488wo-SN 048cprs-AF 0491gd-GB 0492ku-Arab-IQ" +
	" 0501qps-ploc 05feqps-ploca 0800en-US 0801ar-IQ 0803ca-ES-valencia 0804zh-CN 0807de-CH 0809en-GB 080aes-MX 080cfr-BE" +
	" 0810it-CH 0813nl-BE 0814nn-NO 0816pt-PT 0818ro-MD 0819ru-MD 081asr-Latn-CS 081dsv-FI 0820ur-IN 082caz-Cyrl-AZ" +
	" 082edsb-DE 0832tn-BW 083bse-SE 083cga-IE 083ems-BN 0843uz-Cyrl-UZ 0845bn-BD 0846pa-Arab-PK 0849ta-LK 0850mn-Mong-CN" +
	" 0859sd-Arab-PK 085diu-Latn-CA 085ftzm-Latn-DZ 0860ks-Deva-IN 0861ne-IN 0867ff-Latn-SN 086bquz-EC 0873ti-ER" +
	" 0901qps-Latn-x-sh 09ffqps-plocm 0c00en-US 0c01ar-EG 0c04zh-HK 0c07de-AT 0c09en-AU 0c0aes-ES 0c0cfr-CA" +
	" 0c1asr-Cyrl-CS 0c3bse-FI 0c50mn-Mong-MN 0c51dz-BT 0c6bquz-PE 1000ks-Arab-IN 1001ar-LY 1004zh-SG 1007de-LU 1009en-CA" +
	" 100aes-GT 100cfr-CH 101ahr-BA 103bsmj-NO 105ftzm-Tfng-MA 1401ar-DZ 1404zh-MO 1407de-LI 1409en-NZ 140aes-CR" +
	" 140cfr-LU 141abs-Latn-BA 143bsmj-SE 1801ar-MA 1809en-IE 180aes-PA 180cfr-MC 181asr-Latn-BA 183bsma-NO 1c01ar-TN" +
	" 1c09en-ZA 1c0aes-DO 1c0cfr-029 1c1asr-Cyrl-BA 1c3bsma-SE 2000en-US 2001ar-OM 2009en-JM 200aes-VE 200cfr-RE" +
	" 201abs-Cyrl-BA 203bsms-FI 2400en-US 2401ar-YE 2409en-029 240aes-CO 240cfr-CD 241asr-Latn-RS 243bsmn-FI 2800en-US" +
	" 2801ar-SY 2809en-BZ 280aes-PE 280cfr-SN 281asr-Cyrl-RS 2c00en-US 2c01ar-JO 2c09en-TT 2c0aes-AR 2c0cfr-CM" +
	" 2c1asr-Latn-ME 3000en-US 3001ar-LB 3009en-ZW 300aes-EC 300cfr-CI 301asr-Cyrl-ME 3400en-US 3401ar-KW 3409en-PH" +
	" 340aes-CL 340cfr-ML 3800en-US 3801ar-AE 3809en-ID 380aes-UY 380cfr-MA 3c00en-US 3c01ar-BH 3c09en-HK 3c0aes-PY" +
	" 3c0cfr-HT 4000en-US 4001ar-QA 4009en-IN 400aes-BO 4400en-US 4409en-MY 440aes-SV 4800en-US 4809en-SG 480aes-HN" +
	" 4c00en-US 4c0aes-NI 500aes-PR 540aes-US 580aes-419 5c0aes-CU 641abs-Cyrl-BA 681abs-Latn-BA 6c1asr-Cyrl-RS" +
	" 701asr-Latn-RS 703bsmn-FI 742caz-Cyrl-AZ 743bsms-FI 7804zh-CN 7814nn-NO 781abs-Latn-BA 782caz-Latn-AZ 783bsma-SE" +
	" 7843uz-Cyrl-UZ 7850mn-MN 785diu-Cans-CA 785ftzm-Tfng-MA 7c04zh-HK 7c14nb-NO 7c1asr-Latn-RS 7c28tg-Cyrl-TJ" +
	" 7c2edsb-DE 7c3bsmj-SE 7c43uz-Latn-UZ 7c46pa-Arab-PK 7c50mn-Mong-CN 7c59sd-Arab-PK 7c5cchr-Cher-US 7c5diu-Latn-CA" +
	" 7c5ftzm-Latn-DZ 7c67ff-Latn-SN 7c68ha-Latn-NG 7c86quc-Latn-GT 7c92ku-Arab-IQ "
