package pricing

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"time"

	"go.yaml.in/yaml/v3"

	"whatsappnode/domain"
)

// file is the form of prices.yaml. Its own comments are the manual.
type file struct {
	Prices []block `yaml:"prices"`
	// Messages are what Meta charges for messages.
	Messages []fees `yaml:"messages"`
}

// block are the prices of one page.
type block struct {
	Providers []string `yaml:"providers"`
	Page      string   `yaml:"page"`
	URL       string   `yaml:"url"`
	Read      day      `yaml:"read"`
	Models    []entry  `yaml:"models"`
}

type entry struct {
	Names       []string `yaml:"names"`
	Input       dollars  `yaml:"input"`
	Output      dollars  `yaml:"output"`
	AudioInput  dollars  `yaml:"audio_input"`
	AudioOutput dollars  `yaml:"audio_output"`
	InPerSec    int      `yaml:"audio_input_per_second"`
	OutPerSec   int      `yaml:"audio_output_per_second"`
	PerMinute   dollars  `yaml:"per_minute"`
	Characters  dollars  `yaml:"per_million_characters"`
	From        day      `yaml:"from"`
	Until       day      `yaml:"until"`
	Note        string   `yaml:"note"`
}

// dollars keeps a price as it is written.
type dollars struct {
	amount Amount
	given  bool
}

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *dollars) UnmarshalYAML(n *yaml.Node) (err error) {
	if n.Kind != yaml.ScalarNode {
		return fmt.Errorf("line %d: %w", n.Line, domain.ErrMoney)
	}
	if d.amount, err = domain.ParseMoney(n.Value); err != nil {
		return fmt.Errorf("line %d: %w", n.Line, err)
	}
	d.given = true
	return nil
}

// day is a date in UTC.
type day struct{ time.Time }

// UnmarshalYAML implements yaml.Unmarshaler.
func (d *day) UnmarshalYAML(n *yaml.Node) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, n.Value); err != nil {
		return fmt.Errorf("line %d: must be a day such as 2026-10-31", n.Line)
	}
	return nil
}

// Parse reads a price list, strictly, and reports every fault it finds.
func Parse(raw []byte) (*List, error) {
	var f file
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	dec.KnownFields(true)
	if err := dec.Decode(&f); err != nil {
		return nil, fmt.Errorf("price list: %w", err)
	}
	if err := dec.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, errors.New("price list: something follows the list")
	}
	l := &List{prices: map[key][]Price{}, fees: map[feeKey][]Price{}}
	var faults []error
	for _, b := range f.Prices {
		faults = append(faults, b.faults()...)
		for _, e := range b.Models {
			faults = append(faults, e.faults()...)
			for _, provider := range b.Providers {
				for _, name := range e.Names {
					faults = append(faults, l.add(key{provider, name}, e.price(name, b))...)
				}
			}
		}
	}
	for _, page := range f.Messages {
		faults = append(faults, page.faults()...)
		faults = append(faults, l.addFees(page)...)
	}
	if len(l.prices)+len(l.fees) == 0 {
		faults = append(faults, errNoPrice)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("price list: %w", err)
	}
	return l, nil
}

func (b block) faults() (faults []error) {
	say := func(problem string) { faults = append(faults, fmt.Errorf("page %q: %s", b.Page, problem)) }
	u, err := url.Parse(b.URL)
	if b.Page == "" || err != nil || u.Scheme != "https" || u.Host == "" {
		say("page and url (https) say where the prices were found")
	}
	if b.Read.IsZero() {
		say("read says on what day")
	}
	if len(b.Providers) == 0 || slices.Contains(b.Providers, "") {
		say("providers is empty")
	}
	if len(b.Models) == 0 {
		say("models is empty")
	}
	return faults
}

func (e entry) faults() (faults []error) {
	say := func(problem string) { faults = append(faults, fmt.Errorf("model %q: %s", e.Names, problem)) }
	if len(e.Names) == 0 || slices.Contains(e.Names, "") {
		say("names is empty")
	}
	if !e.Input.given && !e.Output.given && !e.AudioInput.given && !e.AudioOutput.given && !e.PerMinute.given && !e.Characters.given {
		say("it has no price")
	}
	if e.AudioInput.given != (e.InPerSec > 0) || e.AudioOutput.given != (e.OutPerSec > 0) || e.InPerSec < 0 || e.OutPerSec < 0 {
		say("a price of sound in tokens goes with its tokens a second")
	}
	if !e.Until.IsZero() && e.Until.Before(e.From.Time) {
		say("until is before from")
	}
	return faults
}

func (e entry) price(name string, b block) Price {
	return Price{
		Model: name, Input: e.Input.amount, Output: e.Output.amount,
		AudioInput: e.AudioInput.amount, AudioOutput: e.AudioOutput.amount, AudioInputPerSecond: e.InPerSec, AudioOutputPerSecond: e.OutPerSec,
		PerMinute: e.PerMinute.amount, PerMillionCharacters: e.Characters.amount, From: e.From.Time, Until: e.Until.Time,
		Source: Source{Page: b.Page, URL: b.URL, Read: b.Read.Time}, Note: e.Note,
	}
}

// add files a price under its key; two must never hold on one day.
func (l *List) add(k key, p Price) (faults []error) {
	if overlaps(l.prices[k], p) {
		faults = append(faults, fmt.Errorf("model %q of %s: two prices hold at the same time", k.model, k.provider))
	}
	l.prices[k] = append(l.prices[k], p)
	return faults
}
