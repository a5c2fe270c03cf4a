package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"whatsappnode/test/bench/answer/script"
	"whatsappnode/test/bench/answer/stage"
)

// world is everything around the bot: the model, the ear, the voice and the messenger.
type world struct {
	server *stage.Server
	rates  script.Rates
	clips  *clips
	model  stage.Answer // what the model says to every question
	heard  stage.Answer // what the ear says of every clip
	note   []byte       // the users' voice message
	// delivered is told of every message to a user, the moment it is there.
	delivered atomic.Pointer[func(to, kind string, at time.Time)]
	counts    counts

	mu    sync.Mutex
	fault error // the first thing that the bot did wrong
}

// counts are how often the vendors were asked.
type counts struct {
	model, voice, chars, ear, upload, uploadBytes atomic.Int64
}

// called is a copy of counts.
type called struct{ model, voice, chars, ear, upload, uploadBytes int64 }

func (c *counts) now() called {
	return called{
		c.model.Load(), c.voice.Load(), c.chars.Load(), c.ear.Load(), c.upload.Load(), c.uploadBytes.Load(),
	}
}

// newWorld starts the fakes. The caller closes the server.
func (p plan) newWorld(rates script.Rates) (*world, error) {
	w := &world{rates: rates}
	var err error
	if w.clips, err = newClips(); err != nil {
		return nil, err
	}
	if w.note, err = w.clips.lasting(3 * time.Second); err != nil {
		return nil, err
	}
	tokens, err := rates.Stream(script.Text)
	if err != nil {
		return nil, err
	}
	w.model = stage.Answer{Type: "text/event-stream", Steps: events(tokens), Early: p.early}
	w.heard = at(rates.Hearing, "application/json", mustJSON(map[string]any{"text": script.Question}))
	w.server, err = stage.Start(w.answer, stage.Options{Plain: !p.h2, Streams: p.streams})
	return w, err
}

// at is an answer that comes as a whole.
func at(due time.Duration, kind string, data []byte) stage.Answer {
	return stage.Answer{Type: kind, Steps: []stage.Step{{At: due, Data: data}}}
}

func mustJSON(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // only plain maps are written here
	}
	return data
}

// events are the tokens as the server-sent events of a chat completion (OpenAI,
// "Streaming"): each in an event of its own, and the end with the last one.
func events(tokens []script.Token) []stage.Step {
	event := func(delta map[string]any, finish any) string {
		return "data: " + string(mustJSON(map[string]any{
			"id": "chatcmpl-BenchBenchBenchBenchBench01", "object": "chat.completion.chunk", "created": 1790000000,
			"model": "bench-1", "service_tier": "default", "system_fingerprint": "fp_0123456789", "usage": nil,
			"choices": []any{map[string]any{"index": 0, "delta": delta, "logprobs": nil, "finish_reason": finish}},
		})) + "\n\n"
	}
	steps := make([]stage.Step, len(tokens))
	for i, t := range tokens {
		text := event(map[string]any{"content": t.Text}, nil)
		if i == 0 {
			text = event(map[string]any{"role": "assistant", "content": "", "refusal": nil}, nil) + text
		}
		if i == len(tokens)-1 {
			usage := map[string]any{"prompt_tokens": 60, "completion_tokens": len(tokens), "total_tokens": 60 + len(tokens)}
			text += event(map[string]any{}, "stop") +
				"data: " + string(mustJSON(map[string]any{"id": "chatcmpl-BenchBenchBenchBenchBench01", "choices": []any{}, "usage": usage})) + "\n\n" +
				"data: [DONE]\n\n"
		}
		steps[i] = stage.Step{At: t.At, Data: []byte(text)}
	}
	return steps
}

// answer is the handler of all vendors.
func (w *world) answer(r stage.Request) stage.Answer {
	switch r.Path {
	case "/v1/chat/completions":
		w.counts.model.Add(1)
		return w.model
	case "/v1/audio/speech":
		return w.speak(r.Body)
	case "/v1/audio/transcriptions":
		w.counts.ear.Add(1)
		return w.heard
	}
	return w.graph(r)
}

func (w *world) speak(body []byte) stage.Answer {
	var in struct {
		Input  string
		Format string `json:"response_format"`
	}
	if json.Unmarshal(body, &in) != nil || in.Format != "opus" {
		return w.wrong(errors.New("the voice was asked for something other than Opus"))
	}
	n := utf8.RuneCountInString(in.Input)
	w.counts.voice.Add(1)
	w.counts.chars.Add(int64(n))
	clip, err := w.clips.saying(n)
	if err != nil {
		return w.wrong(err)
	}
	return at(w.rates.Speaking(in.Input), "audio/ogg", clip)
}

// wrong notes a fault, which ends the benchmark.
func (w *world) wrong(err error) stage.Answer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fault == nil {
		w.fault = err
	}
	return stage.Answer{Status: http.StatusBadRequest, Type: "application/json", Steps: []stage.Step{{Data: []byte(`{"error":{"message":"no"}}`)}}}
}

// err is the first fault of the bot's or of the fakes'.
func (w *world) err() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.fault, w.server.Fault())
}

// graph is the messenger's API (Meta, "Cloud API"): it takes everything at once.
func (w *world) graph(r stage.Request) stage.Answer {
	now := time.Now()
	_, path, _ := strings.Cut(strings.TrimPrefix(r.Path, "/"), "/") // after the version
	switch {
	case r.Method == http.MethodHead: // somebody opens a connection before it is needed
		return stage.Answer{Status: http.StatusNotFound, Type: "text/plain"}
	case r.Path == "/media/question.ogg":
		return at(0, "audio/ogg", w.note)
	case r.Method == http.MethodPost && path == numberID+"/messages":
		return w.take(r.Body, now)
	case r.Method == http.MethodPost && path == numberID+"/media":
		return w.upload(r.Body)
	case r.Method == http.MethodGet && path == numberID:
		return at(0, "application/json", []byte(`{"id":"`+numberID+`"}`))
	case r.Method == http.MethodGet && path == questionMedia:
		sum := sha256.Sum256(w.note)
		return at(0, "application/json", mustJSON(map[string]any{
			"messaging_product": "whatsapp", "id": questionMedia, "mime_type": "audio/ogg", "file_size": len(w.note),
			"sha256": fmt.Sprintf("%x", sum), "url": w.server.Base() + "/media/question.ogg",
		}))
	}
	return w.wrong(fmt.Errorf("nobody knows %s %s", r.Method, r.Path))
}

func (w *world) take(body []byte, now time.Time) stage.Answer {
	var in struct {
		Status, To, Type string
		Audio            struct{ ID string }
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return w.wrong(errors.New("a message is no JSON"))
	}
	if in.Status == "read" {
		return at(0, "application/json", []byte(`{"success":true}`))
	}
	if in.Type == "audio" && in.Audio.ID != answerMedia {
		return w.wrong(errors.New("a voice note was sent that was not uploaded"))
	}
	if tell := w.delivered.Load(); tell != nil {
		(*tell)(in.To, in.Type, now)
	}
	id := base64.RawStdEncoding.EncodeToString([]byte(in.To)) + fmt.Sprint(now.UnixNano())
	return at(0, "application/json", []byte(`{"messaging_product":"whatsapp","messages":[{"id":"wamid.`+id+`"}]}`))
}
