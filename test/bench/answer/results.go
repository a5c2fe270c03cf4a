package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/bench/report"
)

// results are all figures of a run, as they are kept in a file.
type results struct {
	Taken       string         `json:"taken"`
	Go          string         `json:"go"`
	System      string         `json:"system"`
	Place       string         `json:"place"`
	BinaryBytes int64          `json:"binary_bytes"`
	HTTP2       bool           `json:"http2"`
	Rates       script.Rates   `json:"rates"`
	Floors      []vendorsAlone `json:"vendors_alone"`
	Closed      []turns        `json:"closed_loop"`
	Open        []turns        `json:"open_loop,omitempty"`
	Memory      []memory       `json:"in_flight,omitempty"`

	unsound []error
}

// vendorsAlone is what the vendors take without the bot.
type vendorsAlone struct {
	Kind string `json:"kind"`
	script.Floors
	// Measured is the sequential one as the bench found it, at the median.
	Measured time.Duration `json:"sequential_measured_ns"`
}

// turns are the figures of one load.
type turns struct {
	Kind          string        `json:"kind"`
	Conversations int           `json:"conversations,omitempty"` // closed loop
	Rate          int           `json:"questions_per_second,omitempty"`
	Seconds       float64       `json:"seconds"`
	Floors        script.Floors `json:"floors"`

	Took report.Quantiles `json:"turn"`
	Ack  report.Quantiles `json:"acknowledgement"`
	// Asked is how late the bench posted, and Late how late its fakes spoke.
	Asked report.Quantiles `json:"questions_late"`
	Late  report.Quantiles `json:"fakes_late"`

	AnswersPerSecond float64       `json:"answers_per_second"`
	CPU              time.Duration `json:"cpu_a_turn_ns"`
	BotBusy          float64       `json:"bot_core_busy"`
	BenchBusy        float64       `json:"bench_core_busy"`
	Connections      int           `json:"vendor_connections"`
	// Strangers are the shares of the bot's and of the bench's cores that other
	// processes used: much of either spoils the figures.
	Strangers [2]float64 `json:"other_processes"`

	// Calls a turn.
	Model  float64 `json:"model_calls"`
	Voice  float64 `json:"voice_calls"`
	Chars  float64 `json:"voice_characters"`
	Ear    float64 `json:"ear_calls"`
	Upload float64 `json:"uploads"`
	// NoteBytes is the mean size of an upload.
	NoteBytes float64 `json:"upload_bytes"`

	InWriting  int `json:"answers_in_writing"`
	Surplus    int `json:"messages_unasked"`
	Refused    int `json:"deliveries_refused"`
	Unposted   int `json:"webhooks_unacknowledged"`
	Unanswered int `json:"questions_unanswered"`
}

// calls sums up the whole run, warm-up and all, as every call belongs to some answer.
func (t *turns) calls(c called, answers int) {
	if answers == 0 {
		return
	}
	a := float64(answers)
	t.Model, t.Voice, t.Chars, t.Ear, t.Upload = float64(c.model)/a, float64(c.voice)/a, float64(c.chars)/a, float64(c.ear)/a, float64(c.upload)/a
	if c.upload > 0 {
		t.NoteBytes = float64(c.uploadBytes) / float64(c.upload)
	}
}

// above is by how much a time is over that with speech by the sentence.
func (t turns) above(d time.Duration) time.Duration { return d - t.Floors.BySentence }

// sound reports what must not happen in a run whose figures are to be believed.
func (t turns) sound() error {
	switch {
	case t.Took.N == 0:
		return fmt.Errorf("no question was answered; %d were not, %d webhooks were not acknowledged", t.Unanswered, t.Unposted)
	case t.InWriting+t.Surplus+t.Unposted+t.Unanswered > 0:
		return fmt.Errorf("%d answers came in writing, %d messages unasked, %d webhooks were not acknowledged, %d questions were not answered",
			t.InWriting, t.Surplus, t.Unposted, t.Unanswered)
	}
	return nil
}

// memory is what turns in flight hold.
type memory struct {
	InFlight    int   `json:"turns"`
	Before      int64 `json:"rss_before"`
	During      int64 `json:"rss_during"`
	Most        int64 `json:"rss_peak"`
	Files       int   `json:"descriptors"`
	Connections int   `json:"vendor_connections"`
}

// each is the memory of one turn in bytes.
func (m memory) each() float64 { return float64(m.During-m.Before) / float64(m.InFlight) }

func (r *results) addClosed(t turns) error {
	if len(r.Closed) == 0 {
		printTurnsHead("closed loop: each user asks again after its answer", "users")
	}
	r.Closed = append(r.Closed, t)
	t.print(t.Conversations)
	r.judge(fmt.Sprintf("%s, %d at once", t.Kind, t.Conversations), t)
	return nil
}

func (r *results) addOpen(t turns) error {
	printTurnsHead("open loop: a fixed rate of questions, counted from the moment each was due", "a sec.")
	r.Open = append(r.Open, t)
	t.print(t.Rate)
	r.judge(fmt.Sprintf("%d questions a second", t.Rate), t)
	return nil
}

// judge keeps what is wrong with a run: the others are measured all the same.
func (r *results) judge(what string, t turns) {
	if err := t.sound(); err != nil {
		r.unsound = append(r.unsound, fmt.Errorf("%s: %w", what, err))
	}
}

func (r *results) addMemory(m memory) error {
	if len(r.Memory) == 0 {
		fmt.Print("\nturns in flight, all waiting for the model\n")
	}
	r.Memory = append(r.Memory, m)
	fmt.Printf("  %6d turns: RSS %.1f MiB before, %.1f MiB during (peak %.1f), %.1f KiB a turn; %d descriptors, %d connections to vendors\n",
		m.InFlight, mib(m.Before), mib(m.During), mib(m.Most), m.each()/1024, m.Files, m.Connections)
	return nil
}

func mib(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// save writes the file and the pictures, each if there is a name for it.
func (r *results) save(file, plots string) error {
	if file != "" {
		data, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, append(data, '\n'), 0o644); err != nil {
			return err
		}
	}
	if plots != "" {
		return r.draw(plots)
	}
	return nil
}

// redraw draws the figures of a file.
func redraw(file, plots string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var r results
	if err := json.Unmarshal(data, &r); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return r.draw(plots)
}
