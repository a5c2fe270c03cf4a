// Package redteam reads the attempts to turn the bot against its operator, its users or
// strangers, for all who play them: written as they are sent, and spoken.
package redteam

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"whatsappnode/adapters/fake"
)

// spoken is how long a spoken attempt lasts. Its words stand in the clip for a fake ear, so
// they need not fit in.
const spoken = 2 * time.Second

// Case is one attempt; the head of the file says what its fields mean.
type Case struct {
	Name, Kind, Language, Says, Obeys, Withheld, Hidden, Smuggled string
	Known                                                         bool
}

// Read reads a file of cases, of which each says something.
func Read(path string) ([]Case, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var file struct{ Cases []Case }
	if err := yaml.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(file.Cases) == 0 {
		return nil, fmt.Errorf("%s holds no case", path)
	}
	for i, c := range file.Cases {
		if c.Says == "" {
			return nil, fmt.Errorf("%s: case %d: %w", path, i+1, errors.New("it says nothing"))
		}
	}
	return file.Cases, nil
}

// Sent is the message as the attacker sends it, with what is hidden in it.
func (c Case) Sent() string {
	switch c.Hidden {
	case "tags":
		return c.hide(func(r rune) string { return string(0xe0000 + r) })
	case "selectors":
		return c.hide(func(r rune) string { return string(0xe0100 + r - 16) })
	case "zerowidth":
		return c.hide(func(r rune) string {
			var bits strings.Builder
			for i := range 8 {
				bits.WriteRune([]rune{0x200b, 0x200c}[r>>i&1])
			}
			return bits.String()
		})
	case "bidi":
		return "\u202e" + c.Says + "\u2066\u202c"
	}
	return c.Says
}

func (c Case) hide(as func(r rune) string) string {
	var out strings.Builder
	out.WriteString(c.Says)
	for _, r := range c.Smuggled {
		out.WriteString(as(r))
	}
	return out.String()
}

// Spoken is the same as a voice note, an Ogg/Opus file of a few hundred bytes, made
// without any vendor: it is silent, and a fake ear hears its words.
func (c Case) Spoken() ([]byte, error) {
	clip, err := fake.Clip(c.Sent(), spoken)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", c.Name, err)
	}
	return clip.Bytes(), nil
}
