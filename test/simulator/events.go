package simulator

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"
)

const (
	eventHeartbeat    = 15 * time.Second
	eventWriteTimeout = 30 * time.Second // a page that reads nothing for so long is cut off
)

// hub numbers the page's events and keeps the newest for pages that reconnect. Streams read from it at their own pace, so a
// slow page costs nothing but its place in the ring.
type hub struct {
	mu      sync.Mutex
	ring    *ring[event]
	arrived chan struct{} // closed and replaced at every event
}

type event struct {
	id   uint64
	name string
	data json.RawMessage
}

func newHub() *hub { return &hub{ring: newRing[event](maxEvents), arrived: make(chan struct{})} }

func (h *hub) publish(name string, data any) {
	raw := mustJSON(data)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ring.add(event{h.ring.last + 1, name, raw})
	close(h.arrived)
	h.arrived = make(chan struct{})
}

func (h *hub) last() uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ring.last
}

// after returns what came after the cursor. When the ring has forgotten some of it, or the cursor is of another process,
// lost is true and the stream goes on from the newest.
func (h *hub) after(cursor uint64) (events []event, last uint64, lost bool, arrived <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if cursor > h.ring.last || cursor+1 < h.ring.oldest() {
		return nil, h.ring.last, true, h.arrived
	}
	return h.ring.after(cursor, 0), h.ring.last, false, h.arrived
}

// serveEvents streams events until the page goes or the simulator closes. The place to continue from comes from
// Last-Event-ID or, for a first connection after reading /sim/state, from the query parameter last_event_id.
func (s *Simulator) serveEvents(w http.ResponseWriter, r *http.Request) {
	cursor := s.events.last()
	from := r.Header.Get("Last-Event-ID")
	if from == "" {
		from = r.URL.Query().Get("last_event_id")
	}
	if from != "" {
		n, err := strconv.ParseUint(from, 10, 64)
		if err != nil {
			n = ^uint64(0) // not one of ours: start over
		}
		cursor = n
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no")
	w.WriteHeader(http.StatusOK)
	rc := http.NewResponseController(w)
	write := func(text string) error {
		_ = rc.SetWriteDeadline(time.Now().Add(eventWriteTimeout)) // not every writer can; then the server's own holds
		if _, err := fmt.Fprint(w, text); err != nil {
			return err
		}
		return rc.Flush()
	}
	if write("retry: 1000\n\n") != nil {
		return
	}
	heartbeat := time.NewTicker(eventHeartbeat)
	defer heartbeat.Stop()
	for {
		events, last, lost, arrived := s.events.after(cursor)
		if lost {
			events = []event{{last, "reset", json.RawMessage(`{}`)}}
		}
		for _, e := range events {
			if write(fmt.Sprintf("id: %d\nevent: %s\ndata: %s\n\n", e.id, e.name, e.data)) != nil {
				return
			}
		}
		cursor = last
		select {
		case <-arrived:
		case <-heartbeat.C:
			if write(": keep-alive\n\n") != nil {
				return
			}
		case <-r.Context().Done():
			return
		case <-s.done:
			return
		}
	}
}
