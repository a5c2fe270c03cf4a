package simulator

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Upload limits of Business phone numbers > Media.
const (
	maxUploadAudio    = 16 << 20
	maxUploadImage    = 5 << 20
	maxUploadVideo    = 16 << 20
	maxUploadDocument = 100 << 20
	maxUploadSticker  = 500 << 10
)

var uploadTypes = []string{
	"audio/aac", "audio/mp4", "audio/mpeg", "audio/amr", "audio/ogg", "audio/opus",
	"application/vnd.ms-powerpoint", "application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	"application/vnd.openxmlformats-officedocument.presentationml.presentation",
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/pdf", "text/plain",
	"application/vnd.ms-excel", "image/jpeg", "image/png", "image/webp", "video/mp4", "video/3gpp",
}

// upload is the multipart body of POST /{phone_number_id}/media.
type upload struct {
	product, kind      string
	fileMIME, filename string
	data               []byte
	hasFile            bool
}

func (s *Simulator) uploadMedia(w http.ResponseWriter, r *http.Request) {
	up, err := readUpload(w, r)
	f := failure{}
	if err != nil {
		f = parameter("Invalid parameter", err.Error())
	} else {
		f = up.validate()
	}
	if f.Code != 0 {
		s.note(Entry{Kind: LogUploadRefused, Type: up.fileMIME, HTTPStatus: f.status(), Code: f.Code, Reason: f.message()})
		s.writeFailure(w, f)
		return
	}
	s.mu.Lock()
	item, err := s.storeMedia(up.data, up.fileMIME, up.filename, uploadedMediaLife)
	if err == nil {
		s.counts.Uploads++
	}
	s.changedLocked()
	s.mu.Unlock()
	if err != nil {
		s.writeFailure(w, failure{Code: codeUnknown, Details: "The simulator's media store is too small for this file."})
		return
	}
	s.note(Entry{
		Kind: LogUpload, IDs: []string{item.id}, Type: item.mime, HTTPStatus: http.StatusOK,
		Reason: strconv.Itoa(len(up.data)) + " bytes",
	})
	writeJSON(w, http.StatusOK, obj("id", item.id))
}

func readUpload(w http.ResponseWriter, r *http.Request) (upload, error) {
	var up upload
	r.Body = http.MaxBytesReader(w, r.Body, maxUploadDocument+1<<20)
	form, err := r.MultipartReader()
	if err != nil {
		return up, errors.New("the body is not multipart/form-data")
	}
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return up, nil
		}
		if err != nil {
			return up, errors.New("the multipart body is broken or too large")
		}
		if err := up.read(part); err != nil {
			return up, err
		}
	}
}

func (u *upload) read(part *multipart.Part) error {
	defer part.Close()
	limit := int64(1024)
	if part.FormName() == "file" {
		limit = maxUploadDocument + 1
	}
	data, err := io.ReadAll(io.LimitReader(part, limit))
	if err != nil {
		return errors.New("the multipart body is broken or too large")
	}
	switch part.FormName() {
	case "file":
		u.hasFile, u.data, u.filename, u.fileMIME = true, data, part.FileName(), part.Header.Get("Content-Type")
	case "messaging_product":
		u.product = string(data)
	case "type":
		u.kind = string(data)
	}
	return nil
}

// validate applies both rules for the media type: the table says the `type` field is required, Meta's own example gives it
// on the file part only. One of them must be there, and each that is there must be supported.
func (u *upload) validate() failure {
	switch {
	case u.product != "whatsapp":
		return parameter("The parameter messaging_product is required.", "messaging_product must be whatsapp.")
	case !u.hasFile:
		return parameter("The parameter file is required.", "The file part is missing.")
	case u.fileMIME == "" && u.kind == "":
		return parameter("The parameter type is required.", "Neither the type field nor the file part names a media type.")
	}
	for _, t := range []string{u.fileMIME, u.kind} {
		if t != "" && !slices.Contains(uploadTypes, bareMIME(t)) {
			return parameter("Param file must be a file with one of the following types: "+strings.Join(uploadTypes, ", ")+
				". Received file of type '"+bareMIME(t)+"'.", "The media type is not supported.")
		}
	}
	if u.fileMIME == "" {
		u.fileMIME = u.kind
	}
	switch size := len(u.data); {
	case size == 0:
		return parameter("Param file must not be empty.", "The file is empty.")
	case size > uploadLimit(bareMIME(u.fileMIME)):
		return parameter("Param file is too large for its type.", fmt.Sprintf("Files of type %s have at most %d bytes.",
			bareMIME(u.fileMIME), uploadLimit(bareMIME(u.fileMIME))))
	}
	return failure{}
}

func uploadLimit(mime string) int {
	switch mediaKind(mime) {
	case "audio":
		return maxUploadAudio
	case "image":
		return maxUploadImage
	case "video":
		return maxUploadVideo
	case "sticker":
		return maxUploadSticker
	}
	return maxUploadDocument
}

// bareMIME cuts parameters such as codecs=opus.
func bareMIME(s string) string {
	if t, _, err := mime.ParseMediaType(s); err == nil {
		return t
	}
	return strings.ToLower(strings.TrimSpace(s))
}

// lookupMedia answers GET /{media_id} with a URL that works for some minutes. As in captures of the real service,
// file_size is a number and sha256 is hex.
func (s *Simulator) lookupMedia(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	item, ok := s.liveMedia(id)
	if asked := r.URL.Query().Get("phone_number_id"); asked != "" && asked != s.cfg.PhoneNumberID {
		ok = false
	}
	if !ok {
		s.mu.Unlock()
		s.refuseGraph(w, r, noSuchObject("get", id))
		return
	}
	base := s.baseURL
	if base == "" {
		base = "http://" + r.Host
	}
	answer := obj("url", s.downloadURL(base, id), "mime_type", item.mime, "sha256", item.sha256Hex(),
		"file_size", len(item.blob.data), "id", id, "messaging_product", "whatsapp")
	s.mu.Unlock()
	s.note(Entry{Kind: LogMediaLookup, IDs: []string{id}, HTTPStatus: http.StatusOK})
	writeJSON(w, http.StatusOK, answer)
}

func (s *Simulator) deleteMedia(w http.ResponseWriter, r *http.Request, id string) {
	s.mu.Lock()
	item, ok := s.liveMedia(id)
	if ok {
		item.deleted = true
	}
	s.mu.Unlock()
	if !ok {
		s.refuseGraph(w, r, noSuchObject("delete", id))
		return
	}
	s.note(Entry{Kind: LogDelete, IDs: []string{id}, HTTPStatus: http.StatusOK})
	writeJSON(w, http.StatusOK, obj("success", true))
}

// downloadURL carries all it needs to be checked, so that no list of live URLs grows: id, expiry and a signature.
func (s *Simulator) downloadURL(base, id string) string {
	payload := id + "." + strconv.FormatInt(s.nowMS()+int64(s.faults.MediaURLTTLMS), 36)
	return base + "/media/" + payload + "." + s.tokenSignature(payload)
}

func (s *Simulator) tokenSignature(payload string) string {
	mac := hmac.New(sha256.New, s.secret)
	mac.Write([]byte(payload))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:12])
}

// tokenMedia resolves a download token that is genuine and not expired. The caller holds the lock.
func (s *Simulator) tokenMedia(token string) (*mediaItem, bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 || !hmac.Equal([]byte(s.tokenSignature(parts[0]+"."+parts[1])), []byte(parts[2])) {
		return nil, false
	}
	expires, err := strconv.ParseInt(parts[1], 36, 64)
	if err != nil || s.nowMS() >= expires {
		return nil, false
	}
	return s.liveMedia(parts[0])
}

// serveDownload answers GET /media/{token}. An expired or unknown token is 404, as on the real host.
func (s *Simulator) serveDownload(w http.ResponseWriter, r *http.Request) {
	if f, ok := s.admit(r); !ok {
		s.refuseGraph(w, r, f)
		return
	}
	s.mu.Lock()
	item, ok := s.tokenMedia(r.PathValue("token"))
	redirect, corrupt := s.faults.MediaHostRedirect, ok && s.roll(s.faults.CorruptMediaPercent)
	if ok && redirect == "" {
		s.counts.Downloads++
		s.changedLocked()
	}
	s.mu.Unlock()
	if !ok {
		s.note(Entry{Kind: LogDownload, HTTPStatus: http.StatusNotFound, Reason: "unknown or expired URL"})
		http.Error(w, "Not Found", http.StatusNotFound)
		return
	}
	e := Entry{Kind: LogDownload, IDs: []string{item.id}, HTTPStatus: http.StatusOK}
	if redirect != "" {
		if !strings.Contains(redirect, "://") {
			redirect = "http://" + redirect
		}
		e.HTTPStatus, e.Reason = http.StatusFound, "redirected"
		s.note(e)
		http.Redirect(w, r, strings.TrimSuffix(redirect, "/")+r.URL.Path, http.StatusFound)
		return
	}
	data := item.blob.data
	if corrupt {
		data = bytes.Clone(data)
		data[len(data)/2] ^= 0xff
		e.Flags = []string{"corrupted"}
	}
	s.note(e)
	w.Header().Set("Content-Type", item.mime)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(data) // the bot has gone; nothing is left to tell
}
