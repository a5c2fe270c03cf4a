package simulator

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"
)

func (s *Simulator) serveAddUser(w http.ResponseWriter, r *http.Request) {
	var spec UserSpec
	if !readBody(w, r, &spec, true) {
		return
	}
	u, err := s.AddUser(spec)
	if err != nil {
		writeProblem(w, http.StatusBadRequest, err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, u)
}

func (s *Simulator) serveUserMessage(w http.ResponseWriter, r *http.Request) {
	var content json.RawMessage
	if !readBody(w, r, &content, false) {
		return
	}
	m, err := s.sendOne(r.PathValue("user"), content, nil)
	if err != nil {
		writeProblem(w, problemStatus(err), err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, m)
}

// serveUserEcho takes what somebody of the business writes to the user from a phone.
func (s *Simulator) serveUserEcho(w http.ResponseWriter, r *http.Request) {
	var content json.RawMessage
	if !readBody(w, r, &content, false) {
		return
	}
	id, err := s.SendEcho(r.PathValue("user"), content)
	if err != nil {
		writeProblem(w, problemStatus(err), err.Error())
		return
	}
	writeJSON(w, http.StatusCreated, obj("id", id))
}

func (s *Simulator) serveUserRead(w http.ResponseWriter, r *http.Request) {
	var body struct {
		IDs []string `json:"message_ids"`
	}
	if !readBody(w, r, &body, false) {
		return
	}
	s.answerMark(w, s.MarkRead(r.PathValue("user"), body.IDs...))
}

func (s *Simulator) serveUserPlayed(w http.ResponseWriter, r *http.Request) {
	var body struct {
		ID string `json:"message_id"`
	}
	if !readBody(w, r, &body, false) {
		return
	}
	s.answerMark(w, s.MarkPlayed(r.PathValue("user"), body.ID))
}

func (s *Simulator) answerMark(w http.ResponseWriter, err error) {
	if err != nil {
		writeProblem(w, problemStatus(err), err.Error())
		return
	}
	writeJSON(w, http.StatusOK, obj("success", true))
}

func problemStatus(err error) int {
	switch {
	case errors.Is(err, ErrUnknownUser), errors.Is(err, ErrUnknownMessage):
		return http.StatusNotFound
	case errors.Is(err, ErrQueueFull):
		return http.StatusServiceUnavailable
	case errors.Is(err, errMediaTooLarge):
		return http.StatusRequestEntityTooLarge
	case errors.Is(err, errNoEncoder), errors.Is(err, errNoSound), errors.Is(err, errBrokenWAV):
		return http.StatusUnsupportedMediaType
	}
	return http.StatusBadRequest
}

// serveUserMedia takes a file from the page and sends it as the user would: a voice note, or by its type.
func (s *Simulator) serveUserMedia(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxInboundMedia+1<<20)
	f, err := readFile(r)
	if err == nil && f.Voice {
		var ogg []byte
		if ogg, err = s.encodeVoice(r.Context(), f.Data); err == nil {
			f = File{Type: "audio", MIME: voiceMIME, Data: ogg, Voice: true, ReplyTo: f.ReplyTo}
		}
	}
	var m Message
	if err == nil {
		m, err = s.SendFile(r.PathValue("user"), f)
	}
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		writeProblem(w, http.StatusRequestEntityTooLarge, "The file is over 100 MB.")
	case err != nil:
		writeProblem(w, problemStatus(err), err.Error())
	default:
		writeJSON(w, http.StatusCreated, m)
	}
}

func readFile(r *http.Request) (File, error) {
	form, err := r.MultipartReader()
	if err != nil {
		return File{}, errors.New("the body must be multipart/form-data")
	}
	var f File
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			break
		}
		if err == nil {
			err = f.read(part)
		}
		if err != nil {
			return File{}, fmt.Errorf("read the upload: %w", err)
		}
	}
	if len(f.Data) == 0 {
		return File{}, errors.New("the upload has no file, or an empty one")
	}
	f.MIME = actualMIME(f)
	return f, nil
}

func (f *File) read(part *multipart.Part) error {
	defer part.Close()
	name := part.FormName()
	limit := int64(4096)
	if name == "file" {
		limit = maxInboundMedia + 1
	}
	data, err := io.ReadAll(io.LimitReader(part, limit))
	if err != nil {
		return err
	}
	switch name {
	case "file":
		f.Data, f.MIME = data, part.Header.Get("Content-Type")
		if f.Filename == "" {
			f.Filename = part.FileName()
		}
	case "voice":
		f.Voice = string(data) == "true"
	case "caption":
		f.Caption = string(data)
	case "filename":
		f.Filename = path.Base(strings.ReplaceAll(string(data), `\`, "/"))
	case "context_id":
		f.ReplyTo = string(data)
	}
	return nil
}

// actualMIME trusts the browser unless it knew nothing.
func actualMIME(f File) string {
	if bare := bareMIME(f.MIME); bare != "" && bare != "application/octet-stream" {
		return f.MIME
	}
	if byName := mime.TypeByExtension(path.Ext(f.Filename)); byName != "" {
		return byName
	}
	if sniffed := http.DetectContentType(f.Data); sniffed != "application/ogg" {
		return sniffed
	}
	return "audio/ogg"
}

// serveFile gives the page the bytes of a message, with ranges, so that <audio> can seek.
func (s *Simulator) serveFile(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	item := s.items[r.PathValue("id")]
	s.mu.Unlock()
	if item == nil {
		writeProblem(w, http.StatusNotFound, "This file is unknown, or was forgotten to make room.")
		return
	}
	h := w.Header()
	h.Set("Content-Type", item.mime)
	h.Set("Cache-Control", "private, max-age=3600")
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox") // an HTML document must stay a document
	if r.URL.Query().Get("download") != "" {
		name := item.filename
		if name == "" {
			name = item.id
		}
		h.Set("Content-Disposition", "attachment; filename*=UTF-8''"+url.PathEscape(name))
	}
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(item.blob.data))
}
