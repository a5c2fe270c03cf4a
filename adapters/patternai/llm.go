package patternai

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"iter"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
	"unicode"

	"whatsappnode/ports"
)

var _ ports.LLMPort = (*LLM)(nil)

const opLLM = "patternai.llm"

const (
	// llmPatience is the deadline of a call that brings none, for the whole answer.
	llmPatience = 5 * time.Minute
	// maxAnswer bounds the answer; a model that writes more has lost its way.
	maxAnswer = 1 << 20
	// readSize is how much is read at once. A model writes a few bytes at a time.
	readSize = 4 << 10
)

// LLM asks the agent with POST /llm. It is safe for concurrent use.
type LLM struct {
	client  *Client
	model   string
	agentID string
}

// NewLLM checks the config and lists all its faults.
func NewLLM(cfg LLMConfig) (*LLM, error) {
	faults := checkModel(cfg.Model)
	if len(cfg.AgentID) > 256 || strings.ContainsFunc(cfg.AgentID, unicode.IsControl) {
		faults = append(faults, errors.New("the agent id is over 256 bytes or holds control characters"))
	}
	c, err := newClient(ClientConfig{BaseURL: cfg.BaseURL, APIKey: cfg.APIKey, Client: cfg.Client}, "model", faults)
	if err != nil {
		return nil, err
	}
	return &LLM{client: c, model: cfg.Model, agentID: cfg.AgentID}, nil
}

// Close frees the connections that only this engine uses.
func (l *LLM) Close() error { return l.client.Close() }

// Generate implements ports.LLMPort. Only the text of the last message is sent; see
// the package comment. A last message with media is KindUnsupported, since without
// them it would be answered wrongly.
func (l *LLM) Generate(ctx context.Context, req ports.LLMRequest) iter.Seq2[ports.LLMChunk, error] {
	var used atomic.Bool
	return func(yield func(ports.LLMChunk, error) bool) {
		if used.Swap(true) {
			yield(ports.LLMChunk{}, &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("the sequence was used before")})
			return
		}
		if err := l.answer(ctx, req, yield); err != nil {
			yield(ports.LLMChunk{}, err)
		}
	}
}

// answer yields the answer and returns the error to end with; nil also when the
// reader left, after which nothing may be yielded.
func (l *LLM) answer(ctx context.Context, req ports.LLMRequest, yield func(ports.LLMChunk, error) bool) error {
	if err := req.Validate(opLLM); err != nil {
		return err
	}
	if err := req.RefuseTools(opLLM); err != nil {
		return err
	}
	last := req.Messages[len(req.Messages)-1]
	if len(last.Media) > 0 {
		return &ports.Error{Op: opLLM, Kind: ports.KindUnsupported, Err: errors.New("the agent takes no media")}
	}
	body, err := json.Marshal(struct {
		Transcription string `json:"transcription"`
		Model         string `json:"model_name"`
		Agent         string `json:"agent_id"`
	}{last.Text, l.model, l.agentID})
	if err != nil {
		return &ports.Error{Op: opLLM, Kind: ports.KindInvalid, Err: errors.New("the request cannot be built")}
	}
	ctx, cancel := bounded(ctx, llmPatience)
	defer cancel() // frees the connection of a stream that was left
	resp, err := l.client.open(ctx, call{
		op: opLLM, method: http.MethodPost, path: "llm", mime: "application/json",
		body: func() io.ReadCloser { return io.NopCloser(bytes.NewReader(body)) }, size: int64(len(body)),
	})
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if err := plainText(resp); err != nil {
		return err
	}
	return pour(ctx, resp.Body, yield)
}

// plainText refuses what must not be read to a person: a web page, or JSON, in
// which a service may say that it failed.
func plainText(resp *http.Response) error {
	header := resp.Header.Get("Content-Type")
	if header == "" {
		return nil
	}
	kind, params, err := mime.ParseMediaType(header)
	charset := strings.ToLower(params["charset"])
	switch {
	case err != nil:
		return malformed(opLLM, "", "the answer's type is malformed")
	case kind == "application/json":
		body, err := io.ReadAll(io.LimitReader(resp.Body, maxRefusal))
		if err != nil {
			return broken(resp.Request.Context(), opLLM, err)
		}
		r, err := parseReport(opLLM, body)
		if err == nil {
			err = r.failure(opLLM)
		}
		if err == nil {
			err = malformed(opLLM, r.RequestID, "the answer is not plain text")
		}
		return err
	case kind != "text/plain" && kind != "text/markdown" && kind != "application/octet-stream":
		return malformed(opLLM, "", "the answer is not plain text")
	case charset != "" && charset != "utf-8" && charset != "utf8" && charset != "us-ascii":
		return malformed(opLLM, "", "the answer's charset is not UTF-8")
	}
	return nil
}

// pour yields the text as it comes in.
func pour(ctx context.Context, body io.Reader, yield func(ports.LLMChunk, error) bool) error {
	var (
		d     decoder
		buf   = make([]byte, readSize)
		total int
	)
	give := func(text string) (left bool) {
		return text != "" && !yield(ports.LLMChunk{Text: text}, nil)
	}
	for {
		n, err := body.Read(buf)
		if total += n; total > maxAnswer {
			return malformed(opLLM, d.requestID, "the answer is too large")
		}
		text, fault := d.feed(buf[:n])
		if fault != nil {
			return malformed(opLLM, "", fault.Error())
		}
		if give(text) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return withCode(broken(ctx, opLLM, err), d.requestID)
		}
	}
	if give(d.end()) {
		return nil
	}
	if err := ports.FromContext(ctx, opLLM); err != nil {
		return err
	}
	if !d.started {
		return empty(opLLM, d.requestID)
	}
	yield(ports.LLMChunk{Done: true}, nil)
	return nil
}
