package simulator

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"time"
)

// How long Meta keeps a media id: received by webhook, and uploaded (Business phone numbers > Media).
const (
	receivedMediaLife = 7 * 24 * time.Hour
	uploadedMediaLife = 30 * 24 * time.Hour
)

// mediaOverhead is what an item is counted for beside its bytes, so that many small files are bounded too.
const mediaOverhead = 512

// mediaItem is one media id. Deleting or expiring an id hides it from the Graph API but not from the user's phone.
type mediaItem struct {
	id       string
	mime     string
	filename string
	blob     *blob
	expires  time.Time
	deleted  bool
	voice    bool
}

// blob holds bytes that several ids may share.
type blob struct {
	sum  [sha256.Size]byte
	data []byte
	refs int
}

type mediaStore struct {
	items    map[string]*mediaItem
	blobs    map[[sha256.Size]byte]*blob
	arrival  []*mediaItem
	bytes    int64
	maxBytes int64
}

func newMediaStore(max int64) mediaStore {
	return mediaStore{items: map[string]*mediaItem{}, blobs: map[[sha256.Size]byte]*blob{}, maxBytes: max}
}

var errMediaTooLarge = errors.New("the file is larger than the whole media store")

// storeMedia keeps a copy-free reference to data, which must not change any more. The caller holds the lock.
func (s *Simulator) storeMedia(data []byte, mime, filename string, life time.Duration) (*mediaItem, error) {
	if int64(len(data))+mediaOverhead > s.maxBytes {
		return nil, fmt.Errorf("store media: %w", errMediaTooLarge)
	}
	sum := sha256.Sum256(data)
	b := s.blobs[sum]
	if b == nil {
		b = &blob{sum: sum, data: data}
		s.blobs[sum] = b
		s.bytes += int64(len(data))
	}
	b.refs++
	s.bytes += mediaOverhead
	id := ""
	for id == "" || s.items[id] != nil {
		id = "1" + s.randomString(15, digits)
	}
	item := &mediaItem{id: id, mime: mime, filename: filename, blob: b, expires: s.now().Add(life)}
	s.items[id] = item
	s.arrival = append(s.arrival, item)
	for s.bytes > s.maxBytes {
		s.forgetMedia()
	}
	return item, nil
}

func (s *Simulator) forgetMedia() {
	item := s.arrival[0]
	s.arrival[0] = nil
	s.arrival = s.arrival[1:]
	delete(s.items, item.id)
	s.bytes -= mediaOverhead
	if item.blob.refs--; item.blob.refs == 0 {
		delete(s.blobs, item.blob.sum)
		s.bytes -= int64(len(item.blob.data))
	}
}

// liveMedia finds an id that the Graph API still knows. The caller holds the lock.
func (s *Simulator) liveMedia(id string) (*mediaItem, bool) {
	item := s.items[id]
	if item == nil || item.deleted || !s.now().Before(item.expires) {
		return nil, false
	}
	return item, true
}

func (i *mediaItem) sha256Hex() string { return hex.EncodeToString(i.blob.sum[:]) }
