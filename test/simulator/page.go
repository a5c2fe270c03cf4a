package simulator

import (
	"embed"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"strings"
)

//go:embed all:phone
var phoneFiles embed.FS

// pagePolicy lets the page load and call nothing but its own host; blob: and data: are for clips and pictures it makes.
const pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'; " +
	"manifest-src 'self'; media-src 'self' blob: data:; img-src 'self' blob: data:; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"

// Handler serves the Graph API for the bot, and the page with its calls under /sim. Everything works before Start, but
// webhooks and statuses wait for it.
func (s *Simulator) Handler() http.Handler {
	assets, err := fs.Sub(phoneFiles, "phone")
	if err != nil {
		panic(err) // the folder is embedded above
	}
	files := http.StripPrefix("/phone/", http.FileServerFS(assets))
	sim := http.NewServeMux()
	sim.HandleFunc("GET /sim/state", s.serveState)
	sim.HandleFunc("GET /sim/events", s.serveEvents)
	sim.HandleFunc("GET /sim/log", s.serveLog)
	sim.HandleFunc("GET /sim/faults", func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, http.StatusOK, s.Faults()) })
	sim.HandleFunc("PUT /sim/faults", s.serveSetFaults)
	sim.HandleFunc("POST /sim/users", s.serveAddUser)
	sim.HandleFunc("POST /sim/users/{user}/messages", s.serveUserMessage)
	sim.HandleFunc("POST /sim/users/{user}/echo", s.serveUserEcho)
	sim.HandleFunc("POST /sim/users/{user}/media", s.serveUserMedia)
	sim.HandleFunc("POST /sim/users/{user}/read", s.serveUserRead)
	sim.HandleFunc("POST /sim/users/{user}/played", s.serveUserPlayed)
	sim.HandleFunc("GET /sim/files/{id}", s.serveFile)
	sim.HandleFunc("/sim/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is no such call.")
	})
	// Other web pages in the same browser must not be able to drive the simulator.
	guard := http.NewCrossOriginProtection()
	guard.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusForbidden, "This call may only come from the simulator's own page.")
	}))

	mux := http.NewServeMux()
	mux.Handle("/sim/", guard.Handler(sim))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		http.ServeFileFS(w, r, assets, "index.html")
	})
	mux.HandleFunc("GET /phone/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-cache")
		files.ServeHTTP(w, r)
	})
	mux.HandleFunc("GET /media/{token}", s.serveDownload)
	mux.HandleFunc("/", s.serveGraph)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", pagePolicy)
		h.Set("Permissions-Policy", "microphone=(self), camera=(), geolocation=()")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		mux.ServeHTTP(w, r)
	})
}

// What /sim/state shows at most; the rest is in memory and in the log.
const (
	maxStatePerUser  = 300
	maxStateMessages = 5000
)

func (s *Simulator) serveState(w http.ResponseWriter, _ *http.Request) {
	type business struct {
		Name          string `json:"name"`
		Phone         string `json:"phone"`
		PhoneNumberID string `json:"phone_number_id"`
	}
	state := struct {
		Business    business             `json:"business"`
		Notices     []string             `json:"notices"`
		Users       []User               `json:"users"`
		Messages    map[string][]Message `json:"messages"`
		Faults      Faults               `json:"faults"`
		Timeline    []TL                 `json:"timeline"`
		LastEventID uint64               `json:"last_event_id"`
	}{Business: business{s.cfg.BusinessName, s.cfg.DisplayPhone, s.cfg.PhoneNumberID}, Users: []User{}, Messages: map[string][]Message{}}
	s.mu.Lock()
	state.Notices = append([]string{}, s.notices...)
	state.Faults = s.faults.clone()
	state.Timeline = append([]TL{}, s.timeline.after(0, 0)...)
	state.LastEventID = s.events.last()
	left := maxStateMessages
	for _, u := range s.order {
		state.Users = append(state.Users, u.User)
		from := max(len(u.chat)-min(maxStatePerUser, left), 0)
		shown := make([]Message, 0, len(u.chat)-from)
		for _, m := range u.chat[from:] {
			shown = append(shown, *m)
		}
		left -= len(shown)
		state.Messages[u.ID] = shown
	}
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, state)
}

// serveLog streams the log as JSON lines, in order.
func (s *Simulator) serveLog(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/x-ndjson")
	w.Header().Set("Cache-Control", "no-store")
	enc := json.NewEncoder(w)
	for seq := uint64(0); ; {
		page := s.log.after(seq, 1000)
		if len(page) == 0 {
			return
		}
		for _, e := range page {
			if enc.Encode(e) != nil {
				return
			}
			seq = e.Seq
		}
	}
}

func (s *Simulator) serveSetFaults(w http.ResponseWriter, r *http.Request) {
	f := DefaultFaults() // a member that is left out is off
	if !readBody(w, r, &f, true) {
		return
	}
	if err := s.SetFaults(f); err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusOK, s.Faults())
}

const maxPageBody = 1 << 20

// readBody decodes a JSON body, or answers and returns false.
func readBody(w http.ResponseWriter, r *http.Request, v any, strict bool) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxPageBody))
	if strict {
		dec.DisallowUnknownFields()
	}
	err := dec.Decode(v)
	if err == nil {
		_, err = dec.Token()
		if errors.Is(err, io.EOF) {
			return true
		}
	}
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		writeProblem(w, http.StatusRequestEntityTooLarge, "The body is over 1 MB.")
		return false
	}
	text := "The body is not the JSON that is expected here."
	if err != nil && strings.HasPrefix(err.Error(), "json: unknown field") {
		text = "The body has an " + strings.TrimPrefix(err.Error(), "json: ") + "."
	}
	writeProblem(w, http.StatusBadRequest, text)
	return false
}

func writeProblem(w http.ResponseWriter, status int, sentence string) {
	writeJSON(w, status, obj("error", sentence))
}
