package elevenlabs

import (
	"bytes"
	"fmt"
	"io"
	"mime/multipart"
	"net/textproto"
	"strings"
	"unicode/utf8"
)

// form is a multipart body around a clip, which is sent from where it lies.
type form struct {
	mime             string
	head, clip, tail []byte
}

// newForm writes the fields of "Create transcript". Only writing to memory can go
// wrong here, and it does not.
func newForm(model, lang string, terms []string, u upload) (form, error) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	fields := [][2]string{
		{"model_id", model},
		{"tag_audio_events", "false"}, // else "(music)" and "(laughter)" are in the text
		{"timestamps_granularity", "word"},
	}
	if lang != "" {
		fields = append(fields, [2]string{"language_code", lang})
	}
	for _, t := range terms {
		fields = append(fields, [2]string{"keyterms", t})
	}
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			return form{}, err
		}
	}
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", fmt.Sprintf(`form-data; name="file"; filename=%q`, u.name))
	head.Set("Content-Type", u.mime)
	if _, err := w.CreatePart(head); err != nil {
		return form{}, err
	}
	before := b.Len()
	if err := w.Close(); err != nil {
		return form{}, err
	}
	return form{mime: w.FormDataContentType(), head: b.Bytes()[:before], clip: u.data, tail: b.Bytes()[before:]}, nil
}

func (f form) size() int64 { return int64(len(f.head) + len(f.clip) + len(f.tail)) }

func (f form) body() io.ReadCloser {
	return io.NopCloser(io.MultiReader(bytes.NewReader(f.head), bytes.NewReader(f.clip), bytes.NewReader(f.tail)))
}

const (
	// maxKeyterms is far below the limit of 1,000: a list that long helps nobody.
	maxKeyterms = 100
	// A keyterm has under 50 characters and at most five words ("Create
	// transcript"); one that has more would fail the whole call.
	maxKeytermChars = 49
	maxKeytermWords = 5
	notInKeyterms   = `<>{}[]\`
)

// keyterms takes a hint apart at commas, semicolons and line ends. What ElevenLabs
// would refuse is left out.
func keyterms(hint string) []string {
	var terms []string
	for _, t := range strings.FieldsFunc(strings.ToValidUTF8(hint, ""), func(r rune) bool { return r == ',' || r == ';' || r == '\n' || r == '\r' }) {
		words := strings.Fields(t)
		t = strings.Join(words, " ")
		usable := t != "" && len(words) <= maxKeytermWords && utf8.RuneCountInString(t) <= maxKeytermChars && !strings.ContainsAny(t, notInKeyterms)
		if usable && len(terms) < maxKeyterms {
			terms = append(terms, t)
		}
	}
	return terms
}
