// Command answer measures how long people wait for an answer, with the production
// binary as a black box: from the moment a webhook is due to the moment at which the
// messenger's API is given the answer, the durable store included.
//
// The vendors are fakes with set rates, in this process and on the other core, so that
// every figure stands beside what the vendors alone would take: one after the other,
// with speech by the sentence, and at the limit. The bot has one core (GOMAXPROCS=1,
// and pinned to it where taskset exists). Users ask again soon after each answer
// (closed loop), or questions come at a fixed rate whatever becomes of those before
// (open loop); either way a turn is counted from the moment its question was due.
//
// It also measures what a turn costs: CPU, the acknowledgements of the webhooks
// meanwhile, and memory for each turn in flight.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"whatsappnode/test/bench/answer/script"
)

// plan is what a run measures, and for how long.
type plan struct {
	binary      string
	levels      []int // conversations at once
	measure     time.Duration
	rate        int // questions a second of the open loop
	open        time.Duration
	inflight    []int
	h2          bool
	streams     int
	early       bool
	think       time.Duration
	ask         string
	env         settings
	logLevel    string
	admin       string
	quick       bool
	json, plots string
	draw        string

	rates script.Rates
	place place
	dir   string
}

func flags() (plan, error) {
	p := plan{rates: script.Usual()}
	levels := flag.String("conversations", "", "conversations at once, comma-separated (default 1,100,1000; with -quick 1,100)")
	inflight := flag.String("inflight", "", "turns in flight to measure memory with, comma-separated (default 1000,10000; with -quick none)")
	flag.StringVar(&p.binary, "binary", "bin/whatsapp-node", "the binary to measure")
	flag.DurationVar(&p.measure, "measure", 20*time.Second, "length of each closed loop, warm-up aside")
	flag.IntVar(&p.rate, "rate", 200, "questions a second of the open loop; 0 leaves it out")
	flag.DurationVar(&p.open, "open", 20*time.Second, "length of the open loop")
	flag.BoolVar(&p.h2, "h2", true, "vendors speak HTTP/2 over TLS; false is plain HTTP/1.1")
	flag.IntVar(&p.streams, "streams", 250, "requests the vendors take at once on one HTTP/2 connection")
	flag.BoolVar(&p.early, "early-headers", false, "the model sends its headers at once and not with the first token")
	flag.DurationVar(&p.think, "think", 100*time.Millisecond, "how long a user takes to ask again, in the mean")
	flag.StringVar(&p.ask, "ask", "both", "questions of the closed loop: text, voice or both")
	flag.Var(&p.env, "env", "a setting of the bot to compare with, such as BURST_WINDOW=0s; may be given again")
	flag.StringVar(&p.logLevel, "log-level", "warn", "LOG_LEVEL of the bot")
	flag.StringVar(&p.admin, "admin", "off", "ADMIN_ADDR of the bot, to take profiles from")
	flag.BoolVar(&p.quick, "quick", false, "less of everything, in under a minute")
	flag.StringVar(&p.json, "json", "", "write all figures to this file")
	flag.StringVar(&p.plots, "plots", "", "write pictures of them into this folder")
	flag.StringVar(&p.draw, "draw", "", "measure nothing and draw the figures in this file")
	flag.DurationVar(&p.rates.FirstToken, "first-token", p.rates.FirstToken, "model: time to the first token")
	flag.IntVar(&p.rates.Tokens, "tokens", p.rates.Tokens, "model: tokens of an answer")
	flag.Float64Var(&p.rates.PerSecond, "tokens-per-second", p.rates.PerSecond, "model: tokens a second")
	flag.DurationVar(&p.rates.Speech, "speech", p.rates.Speech, "voice: the least time of a clip")
	flag.DurationVar(&p.rates.PerChar, "per-char", p.rates.PerChar, "voice: time for each character")
	flag.DurationVar(&p.rates.Hearing, "hearing", p.rates.Hearing, "ear: time of a transcription")
	flag.Parse()

	set := map[string]bool{}
	flag.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if p.quick {
		less(&p, set)
	}
	usual := [2]string{"1,100,1000", "1000,10000"}
	if p.quick {
		usual = [2]string{"1,100", ""}
	}
	var err1, err2, err3 error
	p.levels, err1 = numbers(*levels, usual[0], set["conversations"])
	p.inflight, err2 = numbers(*inflight, usual[1], set["inflight"])
	if !slices.Contains([]string{"both", "text", "voice"}, p.ask) {
		err3 = fmt.Errorf("-ask %q is none of text, voice and both", p.ask)
	}
	return p, errors.Join(err1, err2, err3, p.rates.Validate())
}

// settings gathers those of the bot.
type settings map[string]string

func (s *settings) String() string { return "" }

func (s *settings) Set(v string) error {
	name, value, ok := strings.Cut(v, "=")
	if !ok || name == "" {
		return errors.New("must be NAME=VALUE")
	}
	if *s == nil {
		*s = settings{}
	}
	(*s)[name] = value
	return nil
}

// less shortens what was not asked for by name.
func less(p *plan, set map[string]bool) {
	if !set["measure"] {
		p.measure = 3 * time.Second
	}
	if !set["rate"] {
		p.rate = 0
	}
}

func numbers(list, usual string, set bool) ([]int, error) {
	if !set {
		list = usual
	}
	var out []int
	for part := range strings.SplitSeq(list, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		n, err := strconv.Atoi(part)
		if err != nil || n < 1 || n > 20_000 {
			return nil, fmt.Errorf("%q is no number from 1 to 20,000", part)
		}
		out = append(out, n)
	}
	return out, nil
}

func main() {
	p, err := flags()
	if err == nil {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		ctx, cancel := context.WithTimeout(ctx, 15*time.Minute)
		defer cancel()
		err = run(ctx, p)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p plan) (err error) {
	if p.draw != "" {
		return redraw(p.draw, p.plots)
	}
	if p.place, err = settle(); err != nil {
		return err
	}
	// Goroutines that wait in system calls must not hold up the others, and the fakes
	// must not be late because memory is being tidied.
	runtime.GOMAXPROCS(4)
	debug.SetGCPercent(800)
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return err
	}
	info, err := os.Stat(p.binary)
	if err != nil {
		return fmt.Errorf("the binary is missing, run `make build`: %w", err)
	}
	if p.dir, err = realDisk(); err != nil {
		return err
	}
	defer os.RemoveAll(p.dir)
	fmt.Println(p.place)
	res := &results{
		Taken: time.Now().UTC().Format(time.RFC3339), Go: runtime.Version(), System: runtime.GOOS + "/" + runtime.GOARCH,
		Place: p.place.String(), BinaryBytes: info.Size(), HTTP2: p.h2, Rates: p.rates,
	}
	if err := p.measureAll(ctx, res); err != nil {
		return err
	}
	return errors.Join(append(res.unsound, res.save(p.json, p.plots))...)
}

// measureAll prints every figure as soon as it is there.
func (p plan) measureAll(ctx context.Context, res *results) error {
	if err := p.sequential(ctx, res); err != nil {
		return fmt.Errorf("one vendor after the other: %w", err)
	}
	res.printFloors()
	for _, n := range p.levels {
		for _, aloud := range []bool{false, true} {
			if p.ask != "both" && p.ask != kind(aloud) {
				continue
			}
			if err := p.closedLoop(ctx, n, aloud, res); err != nil {
				return fmt.Errorf("%d conversations at once: %w", n, err)
			}
		}
	}
	if p.rate > 0 && p.open > 0 {
		if err := p.openLoop(ctx, res); err != nil {
			return fmt.Errorf("%d questions a second: %w", p.rate, err)
		}
	}
	for _, n := range p.inflight {
		if err := p.measureMemory(ctx, n, res); err != nil {
			return fmt.Errorf("%d turns in flight: %w", n, err)
		}
	}
	return nil
}
