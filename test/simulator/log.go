package simulator

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"
)

// Kinds of log entries.
const (
	LogInbound        = "inbound"         // a user sent a message
	LogWebhook        = "webhook"         // one delivery try
	LogWebhookDropped = "webhook_dropped" // given up
	LogSend           = "send"            // accepted; in the file before it is answered
	LogSendRefused    = "send_refused"
	LogRead           = "read"   // read receipt of the bot
	LogTyping         = "typing" // read receipt with typing indicator
	LogStatus         = "status" // a status came to be, whether or not it is told to the bot
	LogUpload         = "media_upload"
	LogUploadRefused  = "media_upload_refused"
	LogMediaLookup    = "media_lookup"
	LogDownload       = "media_download"
	LogDelete         = "media_delete"
	LogGraphRefused   = "graph_refused" // any other call answered with an error
)

// Entry is one thing the simulator saw or did. Fields that make no sense for its kind are absent.
type Entry struct {
	Seq          uint64          `json:"seq"`
	At           int64           `json:"at"` // Unix milliseconds of the configured clock
	Kind         string          `json:"kind"`
	User         string          `json:"user,omitempty"`
	IDs          []string        `json:"ids,omitempty"` // wamids, or the media id
	Type         string          `json:"type,omitempty"`
	CallbackData string          `json:"biz_opaque_callback_data,omitempty"`
	Body         json.RawMessage `json:"body,omitempty"`        // of inbound messages and sends
	HTTPStatus   int             `json:"http_status,omitempty"` // webhook: the bot's; else ours; 0: no answer
	Code         int             `json:"code,omitempty"`        // Graph error code
	Reason       string          `json:"reason,omitempty"`
	Flags        []string        `json:"flags,omitempty"`   // oversized_voice, chained_stream, answer_dropped, bad_signature, duplicate, corrupted
	Webhook      string          `json:"webhook,omitempty"` // messages or statuses
	Attempt      int             `json:"attempt,omitempty"`
	Answer       string          `json:"answer,omitempty"` // first bytes of the bot's answer
	TookMS       int64           `json:"took_ms,omitempty"`
}

// logbook keeps entries in a ring and, if asked, in a file.
type logbook struct {
	mu      sync.Mutex
	entries *ring[Entry]
	file    *os.File
	written uint64

	syncMu sync.Mutex
	synced uint64
}

func openLogbook(path string, max int) (*logbook, error) {
	b := &logbook{entries: newRing[Entry](max)}
	if path == "" {
		return b, nil
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	b.file = f
	return b, nil
}

// add writes an entry. Its number is returned for sync.
func (b *logbook) add(e Entry) (uint64, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e.Seq = b.entries.last + 1
	if b.file != nil {
		line, err := json.Marshal(e)
		if err != nil {
			return 0, fmt.Errorf("encode log entry: %w", err)
		}
		if _, err := b.file.Write(append(line, '\n')); err != nil {
			return 0, fmt.Errorf("write log entry: %w", err)
		}
		b.written = e.Seq
	}
	return b.entries.add(e), nil
}

// addSync returns when the entry is on disk. One fsync serves everybody who waits for it.
func (b *logbook) addSync(e Entry) error {
	seq, err := b.add(e)
	if err != nil || b.file == nil {
		return err
	}
	b.syncMu.Lock()
	defer b.syncMu.Unlock()
	if b.synced >= seq {
		return nil
	}
	b.mu.Lock()
	upTo := b.written
	b.mu.Unlock()
	if err := b.file.Sync(); err != nil {
		return fmt.Errorf("sync log: %w", err)
	}
	b.synced = upTo
	return nil
}

func (b *logbook) close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.file == nil {
		return nil
	}
	return errors.Join(b.file.Sync(), b.file.Close())
}

func (b *logbook) after(seq uint64, limit int) []Entry {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.entries.after(seq, limit)
}

// Log returns the entries still held, oldest first, at most Config.MaxLogEntries.
func (s *Simulator) Log() []Entry { return s.log.after(0, 0) }

// note logs what nobody waits for. A full disk shows at the next send, which is refused.
func (s *Simulator) note(e Entry) {
	e.At = s.nowMS()
	_, _ = s.log.add(e)
}

func took(since time.Time) int64 { return time.Since(since).Milliseconds() }
