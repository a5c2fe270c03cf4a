package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"whatsappnode/test/bench/answer/script"
)

// rounds is how often the vendors are asked one after the other, all rounds at once.
const rounds = 5

// sequential asks the same fakes one after the other, as a plain bot would: hear, wait
// for the whole answer, have all of it spoken, upload it, send it. It tells what the
// vendors take in fact, connections and all.
func (p plan) sequential(ctx context.Context, res *results) error {
	for _, aloud := range []bool{false, true} {
		floors, err := p.rates.Floors(script.Text, aloud)
		if err != nil {
			return err
		}
		res.Floors = append(res.Floors, vendorsAlone{Kind: kind(aloud), Floors: floors})
	}
	w, err := p.newWorld(p.rates)
	if err != nil {
		return err
	}
	defer w.server.Close()
	client := w.server.Client()
	defer client.CloseIdleConnections()
	if _, err := ask(ctx, client, http.MethodGet, w.server.Base()+"/v0/"+numberID, "", nil); err != nil {
		return err // the connection is open now
	}
	took, faults := make([]time.Duration, 2*rounds), make([]error, 2*rounds)
	var wg sync.WaitGroup
	for i := range took {
		wg.Go(func() { took[i], faults[i] = w.oneAfterTheOther(ctx, client, i%2 == 1) })
	}
	wg.Wait()
	for i, err := range append(faults, w.err()) {
		if err != nil {
			return fmt.Errorf("round %d: %w", i/2, err)
		}
	}
	for k := range res.Floors {
		var mine []time.Duration
		for i := k; i < len(took); i += 2 {
			mine = append(mine, took[i])
		}
		slices.Sort(mine)
		res.Floors[k].Measured = mine[len(mine)/2]
	}
	return nil
}

func (w *world) oneAfterTheOther(ctx context.Context, client *http.Client, aloud bool) (time.Duration, error) {
	began, base := time.Now(), w.server.Base()
	if aloud {
		form, kind := form(w.note)
		if _, err := ask(ctx, client, http.MethodPost, base+"/v1/audio/transcriptions", kind, form); err != nil {
			return 0, err
		}
	}
	stream, err := ask(ctx, client, http.MethodPost, base+"/v1/chat/completions", "application/json", []byte(`{"stream":true}`))
	if err != nil {
		return 0, err
	}
	text, err := textOf(stream)
	if err != nil {
		return 0, err
	}
	clip, err := ask(ctx, client, http.MethodPost, base+"/v1/audio/speech", "application/json", mustJSON(map[string]any{"input": text, "response_format": "opus"}))
	if err != nil {
		return 0, err
	}
	note, kind := form(clip)
	if _, err := ask(ctx, client, http.MethodPost, base+"/v0/"+numberID+"/media", kind, note); err != nil {
		return 0, err
	}
	_, err = ask(ctx, client, http.MethodPost, base+"/v0/"+numberID+"/messages", "application/json", mustJSON(map[string]any{
		"to": "+34600000000", "type": "audio", "audio": map[string]any{"id": answerMedia},
	}))
	return time.Since(began), err
}

// textOf puts the events of an answer together, and compares it with what was meant.
func textOf(stream []byte) (string, error) {
	var out strings.Builder
	for line := range strings.SplitSeq(string(stream), "\n") {
		data, is := strings.CutPrefix(line, "data: ")
		if !is || data == "[DONE]" {
			continue
		}
		var e struct {
			Choices []struct{ Delta struct{ Content string } }
		}
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			return "", err
		}
		for _, c := range e.Choices {
			out.WriteString(c.Delta.Content)
		}
	}
	if out.String() != script.Text {
		return "", fmt.Errorf("the model wrote %d bytes that are not the answer", out.Len())
	}
	return out.String(), nil
}

func form(file []byte) ([]byte, string) {
	var out bytes.Buffer
	m := multipart.NewWriter(&out)
	part, err := m.CreateFormFile("file", "voice.ogg")
	if err == nil {
		_, err = part.Write(file)
	}
	if err == nil {
		err = m.Close()
	}
	if err != nil {
		panic(err) // a buffer takes everything
	}
	return out.Bytes(), m.FormDataContentType()
}

func ask(ctx context.Context, client *http.Client, method, url, kind string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %s", resp.Status)
	}
	return data, err
}
