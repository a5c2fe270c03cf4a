package app

import (
	"context"
	"math/bits"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
)

// Loop says when a conversation is taken for one with another machine, which would
// go on for ever at our cost. An exchange counts when it follows the one before within
// loopGap and says nearly what one of the last three did; and half when its words came
// faster than a person types or speaks. Others take back what one counted.
type Loop struct {
	// Turns is how many exchanges in a row end it; zero: never.
	Turns int
	// Quiet is how long the other side must have been silent to be answered again.
	Quiet time.Duration
}

func (l Loop) valid() bool { return l.Turns >= 0 && (l.Turns == 0 || l.Quiet > 0) }

const (
	// loopGap is the longest pause of a machine that answers at once.
	loopGap = 20 * time.Second
	// loopAlike is the least share of letter triples that two texts which say the same
	// have in common.
	loopAlike = 0.7
	// loopLeast is the least length in bytes of a text that counts: people do write
	// "next" eight times.
	loopLeast = 24
	// inhuman, in characters a second, is twice as fast as people write or speak.
	inhuman = 20
	// maxLoops bounds the conversations that are remembered, by some 300 bytes each.
	maxLoops = 10_000
)

// loops remembers the last exchanges of conversations, in this process alone: with
// several, it takes as many times more exchanges until one of them has seen enough.
type loops struct {
	mu    sync.Mutex
	chats map[domain.ConversationID]*chat
}

type chat struct {
	at     time.Time // of the last sign of the other side
	points int
	said   [3]sketch
	next   int
}

// notLooping is the gate of Loop.
func notLooping(_ context.Context, s *session) (verdict, error) {
	limit := s.persona.Loop
	if limit.Turns == 0 {
		return verdict{}, nil
	}
	if s.loops.looping(s.conv.ID(), limit, s.started) {
		return verdict{drop: dropLoop}, nil
	}
	return verdict{}, nil
}

// exchanged notes an exchange that ends. What the bot says by itself, because there
// were no words, stands for what it answers.
func (s *session) exchanged() {
	if s.persona == nil || s.persona.Loop.Turns == 0 || len(s.inputs) == 0 || s.turn.State() == domain.TurnDropped {
		return
	}
	text := s.understood().text
	if text == "" {
		text = s.turn.Reply().Text
	}
	s.loops.note(s.conv.ID(), text, s.started, time.Now())
}

func (l *loops) looping(id domain.ConversationID, limit Loop, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.chats[id]
	if c == nil {
		return false
	}
	if now.Sub(c.at) >= limit.Quiet {
		delete(l.chats, id)
		return false
	}
	if c.points < 2*limit.Turns {
		return false
	}
	c.at = now
	return true
}

// note counts one exchange that began at the one time and ended at the other.
func (l *loops) note(id domain.ConversationID, text string, began, ended time.Time) {
	now := sketchOf(text)
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.chats[id]
	if c == nil {
		l.room()
		c = &chat{at: began.Add(-loopGap - 1)}
		l.chats[id] = c
	}
	gap := began.Sub(c.at)
	switch letters := utf8.RuneCountInString(text); {
	case gap <= loopGap && len(text) >= loopLeast && (now.like(c.said[0]) || now.like(c.said[1]) || now.like(c.said[2])):
		c.points += 2
	case letters >= 2*inhuman && gap < time.Duration(letters)*time.Second/inhuman:
		c.points++
	default:
		c.points = max(0, c.points-2)
	}
	c.said[c.next] = now
	c.next, c.at = (c.next+1)%len(c.said), ended
}

// room makes room for one more: first of those that are silent for long, else of any.
func (l *loops) room() {
	if l.chats == nil {
		l.chats = map[domain.ConversationID]*chat{}
	}
	if len(l.chats) < maxLoops {
		return
	}
	var newest time.Time
	for _, c := range l.chats {
		if c.at.After(newest) {
			newest = c.at
		}
	}
	for id, c := range l.chats {
		if newest.Sub(c.at) > loopGap && c.points == 0 {
			delete(l.chats, id)
		}
	}
	for id := range l.chats {
		if len(l.chats) < maxLoops*9/10 {
			return
		}
		delete(l.chats, id)
	}
}

// sketch is the set of letter triples of a text, as bits of a hash. Numbers count as
// one: machines put times and numbers into what they repeat.
type sketch [8]uint64

// sketchLetters bounds how much of a text is looked at, so that the bits do not fill up.
const sketchLetters = 300

func sketchOf(text string) sketch {
	var out sketch
	var a, b rune
	n := 0
	for _, r := range text {
		switch {
		case unicode.IsDigit(r):
			r = '0'
			if b == '0' {
				continue
			}
		case unicode.IsLetter(r):
			r = unicode.ToLower(r)
		default:
			continue
		}
		if n++; n > 2 {
			h := (uint64(a)*0x9e3779b97f4a7c15 ^ uint64(b)*0xc2b2ae3d27d4eb4f ^ uint64(r)*0x165667b19e3779f9) * 0xff51afd7ed558ccd // #nosec G115 -- a hash
			h >>= 55                                                                                                               // 512 bits
			out[h/64] |= 1 << (h % 64)
		}
		if n > sketchLetters {
			break
		}
		a, b = b, r
	}
	return out
}

// like compares by the share of bits in common (the Jaccard index).
func (s sketch) like(other sketch) bool {
	both, either := 0, 0
	for i := range s {
		both += bits.OnesCount64(s[i] & other[i])
		either += bits.OnesCount64(s[i] | other[i])
	}
	return both > 0 && float64(both) >= loopAlike*float64(either)
}
