package pricing

import (
	"time"

	"whatsappnode/domain"
)

// Use is what was consumed, or is expected to be.
type Use = domain.Use

// Price is what one model costs. Several of the rates may apply at once.
type Price struct {
	Model string
	// Rates of text, for a million tokens.
	Input, Output Amount
	// Rates of sound for models that count it in tokens, for a million of them, and how
	// many tokens a second of it is. Zero: the model takes or makes no sound so.
	AudioInput, AudioOutput Amount
	AudioInputPerSecond     int
	AudioOutputPerSecond    int
	PerMinute               Amount // of sound that is heard
	PerMillionCharacters    Amount // that are spoken
	From, Until             time.Time
	Source                  Source
	Note                    string
}

// Source is where a price was found.
type Source struct {
	Page string    // its name, "Gemini Developer API pricing"
	URL  string    // its address
	Read time.Time // the day it was read
}

// Cost is what a use costs at this price, and whether the price covers it: one that
// says nothing of sound cannot tell what hearing costs. It does not round up to a
// vendor's smallest unit, such as a whole second.
func (p Price) Cost(u Use) (Amount, bool) {
	const million = 1e6
	heard, spoken := u.Heard > 0, u.Spoken > 0 || u.Characters > 0
	switch {
	case heard && p.PerMinute == 0 && p.AudioInput == 0,
		spoken && p.PerMillionCharacters == 0 && (p.AudioOutput == 0 || u.Spoken == 0),
		!heard && !spoken && (p.Input == 0 || p.Output == 0):
		return 0, false
	}
	sum := Amount(u.InputTokens)*(p.Input/million) + Amount(u.OutputTokens)*(p.Output/million)
	sum += audio(u.Heard, p.AudioInputPerSecond, p.AudioInput) + audio(u.Spoken, p.AudioOutputPerSecond, p.AudioOutput)
	sum += p.PerMinute / 1000 * Amount(u.Heard.Milliseconds()) / 60
	return sum + Amount(u.Characters)*(p.PerMillionCharacters/million), true
}

// audio is the price of sound that is counted in tokens.
func audio(d time.Duration, perSecond int, perMillion Amount) Amount {
	return Amount(d.Milliseconds()) * Amount(perSecond) * (perMillion / 1e6) / 1000
}

// holds reports whether the price is in force on a day.
func (p Price) holds(at time.Time) bool {
	return !at.Before(p.From) && (p.Until.IsZero() || at.Before(p.Until.AddDate(0, 0, 1)))
}
