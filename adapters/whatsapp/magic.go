package whatsapp

import (
	"bytes"
	"strings"
)

// contradicts reports whether the first bytes of an object cannot be of the MIME
// type it is said to have. Types without known magic bytes pass.
func contradicts(mime string, data []byte) bool {
	base, _, _ := strings.Cut(mime, ";")
	check, known := magic[strings.ToLower(strings.TrimSpace(base))]
	return known && !check(data)
}

var magic = map[string]func([]byte) bool{
	"audio/ogg":  starts("OggS"),
	"audio/opus": starts("OggS"),
	"video/ogg":  starts("OggS"),

	"audio/mpeg": anyOf(starts("ID3"), isMP3Frame),
	"audio/mp3":  anyOf(starts("ID3"), isMP3Frame),
	// AAC comes bare, in ADTS frames, or wrapped in MP4.
	"audio/aac":   anyOf(isADTS, isFtyp, starts("ID3"), starts("ADIF")),
	"audio/mp4":   isFtyp,
	"audio/m4a":   isFtyp,
	"audio/x-m4a": isFtyp,
	"audio/amr":   starts("#!AMR"),
	"audio/wav":   isRIFF("WAVE"),
	"audio/x-wav": isRIFF("WAVE"),
	"audio/flac":  starts("fLaC"),
	"audio/webm":  starts("\x1a\x45\xdf\xa3"),

	"video/mp4":       isFtyp,
	"video/3gpp":      isFtyp,
	"video/quicktime": anyOf(isFtyp, isBox("moov"), isBox("mdat"), isBox("wide"), isBox("free")),
	"video/webm":      starts("\x1a\x45\xdf\xa3"),

	"image/jpeg": starts("\xff\xd8\xff"),
	"image/jpg":  starts("\xff\xd8\xff"),
	"image/png":  starts("\x89PNG\r\n\x1a\n"),
	"image/gif":  anyOf(starts("GIF87a"), starts("GIF89a")),
	"image/webp": isRIFF("WEBP"),

	// A PDF may have junk before its header; readers look at the first 1,024 bytes.
	"application/pdf": func(b []byte) bool { return bytes.Contains(b[:min(len(b), 1024)], []byte("%PDF-")) },
	"application/zip": anyOf(starts("PK\x03\x04"), starts("PK\x05\x06")),
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   starts("PK\x03\x04"),
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         starts("PK\x03\x04"),
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": starts("PK\x03\x04"),
}

func starts(prefix string) func([]byte) bool {
	return func(b []byte) bool { return bytes.HasPrefix(b, []byte(prefix)) }
}

func anyOf(checks ...func([]byte) bool) func([]byte) bool {
	return func(b []byte) bool {
		for _, check := range checks {
			if check(b) {
				return true
			}
		}
		return false
	}
}

func isBox(name string) func([]byte) bool {
	return func(b []byte) bool { return len(b) >= 8 && string(b[4:8]) == name }
}

var isFtyp = isBox("ftyp")

func isRIFF(form string) func([]byte) bool {
	return func(b []byte) bool { return len(b) >= 12 && string(b[:4]) == "RIFF" && string(b[8:12]) == form }
}

// isMP3Frame knows the sync word of an MPEG audio frame; layer bits 00 are ADTS.
func isMP3Frame(b []byte) bool {
	return len(b) >= 2 && b[0] == 0xff && b[1]&0xe0 == 0xe0 && b[1]&0x06 != 0
}

func isADTS(b []byte) bool {
	return len(b) >= 2 && b[0] == 0xff && b[1]&0xf6 == 0xf0
}
