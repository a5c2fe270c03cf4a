package app

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// speech is an answer that is spoken piece by piece, each as soon as it is complete,
// while the model writes on. The time of a turn is then that of the first sentence and
// of whichever is slower, writing or speaking, not the sum of all.
//
// Its methods belong to the turn's goroutine. The pieces are spoken by goroutines
// that hush waits for.
type speech struct {
	engine   ports.TTSPort
	observe  func(took time.Duration)
	ctx      context.Context
	cancel   context.CancelCauseFunc
	began    time.Time
	language string
	splitter *domain.SentenceSplitter
	narrator *domain.Narrator
	pieces   []*piece
	slots    chan struct{}
	crew     *crew
	running  sync.WaitGroup
	ended    bool // the last piece is known
	left     func()
	traced   func(err error) // ends its step in the trace, once
	// vet gives a piece as it may be spoken, or false when the answer may not be.
	vet func(domain.Piece) (string, bool)
}

// piece is a part of the answer in one call of the engine.
type piece struct {
	written string // as the model wrote it
	end     domain.PieceEnd
	spoken  string // as the engine is given it; empty when there is nothing to say
	aside   string
	first   bool
	clip    domain.Audio
}

// pieceLimits give a voice about a sentence at a time: two would be spoken in fewer
// calls, but the last of them would be waited for twice as long.
var pieceLimits = domain.PieceLimits{First: 12, FirstClause: 40, Target: 40, Max: 240}

// crowdedLimits are for a process that speaks hundreds of answers at once: fewer calls
// are less work for everybody, which counts more then than the last tenth of a second.
var crowdedLimits = domain.PieceLimits{First: 100, FirstClause: -1, Target: 100, Max: 300}

// crowd is from how many answers on a process is crowded.
const crowd = 250

// newSpeech counts itself among those of the process until it is hushed.
func newSpeech(ctx context.Context, engine ports.TTSPort, language string, parallel int, all *voices, observe func(time.Duration)) *speech {
	ctx, cancel := context.WithCancelCause(ctx)
	limits := pieceLimits
	if all.enter() > crowd {
		limits = crowdedLimits
	}
	return &speech{
		left: sync.OnceFunc(all.leave), traced: func(error) {},
		engine: engine, observe: observe, ctx: ctx, cancel: cancel, began: time.Now(), language: language,
		splitter: domain.NewSentenceSplitter(limits), narrator: domain.NewNarrator(language),
		slots: make(chan struct{}, parallel), crew: all.crew,
	}
}

// say takes the next words of the answer.
func (sp *speech) say(text string) {
	if text == "" || sp.ctx.Err() != nil {
		return
	}
	for _, p := range sp.splitter.Feed(text) {
		sp.add(p)
	}
}

// end speaks what is left of the answer. It reports false when what was spoken
// already is not how the answer begins: none of it can be used then.
func (sp *speech) end(reply domain.Reply) bool {
	if reply.Language != sp.language {
		return false
	}
	rest, ok := sp.rest(reply.Text)
	if !ok {
		return false
	}
	sp.ended = true
	if cap(sp.slots) == 1 {
		sp.add(domain.Piece{Text: rest, End: domain.EndOfLine})
		return true
	}
	limits := pieceLimits
	if len(sp.pieces) > 0 {
		limits.First, limits.FirstClause = limits.Target, -1
	}
	last := domain.NewSentenceSplitter(limits)
	pieces := last.Feed(rest)
	if last.Held() >= lastLeast {
		clauses := append(last.SetLimits(everyClause), last.Flush()...)
		pieces = append(pieces, lastPieces(clauses)...)
	} else {
		pieces = append(pieces, last.Flush()...)
	}
	for _, p := range pieces {
		sp.add(p)
	}
	return true
}

// rest is what of a text was not given to a piece, white space aside.
func (sp *speech) rest(text string) (string, bool) {
	for _, p := range sp.pieces {
		for _, r := range p.written {
			if unicode.IsSpace(r) {
				continue
			}
			text = strings.TrimLeftFunc(text, unicode.IsSpace)
			got, size := utf8.DecodeRuneInString(text)
			if got != r {
				return "", false
			}
			text = text[size:]
		}
	}
	return text, true
}

// add begins to speak a piece. A piece that fails after all that the engine's own
// retries and stand-ins could do ends the others: no note comes of them.
func (sp *speech) add(p domain.Piece) {
	if sp.vet != nil {
		fit, ok := sp.vet(p)
		if !ok {
			sp.cancel(errWithheld)
			return
		}
		p.Text = fit
	}
	spoken, aside := sp.narrator.SayPiece(p)
	one := &piece{written: p.Text, end: p.End, spoken: spoken, aside: aside, first: len(sp.pieces) == 0}
	sp.pieces = append(sp.pieces, one)
	if spoken == "" {
		return
	}
	sp.running.Add(1)
	sp.crew.begin(task{done: sp.running.Done, do: func() {
		select {
		case sp.slots <- struct{}{}:
			defer func() { <-sp.slots }()
		case <-sp.ctx.Done():
			return
		}
		if err := sp.speak(one); err != nil {
			sp.cancel(err)
		}
	}})
}

func (sp *speech) speak(one *piece) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = ports.Panicked(p)
		}
	}()
	ctx, cancel := context.WithTimeout(sp.ctx, synthesizeBudget)
	defer cancel()
	one.clip, err = sp.engine.Synthesize(ctx, one.spoken, ports.TTSOptions{Format: domain.MIMEOggOpus, Language: sp.language})
	if err != nil {
		return fmt.Errorf("synthesize: %w", err)
	}
	if one.first {
		sp.observe(time.Since(sp.began))
	}
	return nil
}

// failure is why no note can come of it, or nil so far.
func (sp *speech) failure() error { return context.Cause(sp.ctx) }

// spoken closes its channel once every piece was spoken or given up.
func (sp *speech) spoken() <-chan struct{} {
	done := make(chan struct{})
	go func() { sp.running.Wait(); close(done) }()
	return done
}

// hush stops speaking and waits until every call has ended.
func (sp *speech) hush() {
	err := sp.failure()
	sp.cancel(context.Canceled)
	sp.running.Wait()
	sp.left()
	sp.traced(err)
}
