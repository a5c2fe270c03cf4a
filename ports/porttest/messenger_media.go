package porttest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

var fetchCases = []messengerCase{
	{"FetchMediaReturnsTheWhole", fetchReturnsTheWhole},
	{"FetchMediaMayBeRepeated", fetchMayBeRepeated},
	{"FetchMediaDoesNotFindWhatIsGone", fetchDoesNotFind},
	{"FetchMediaChecksTheChecksum", fetchChecksTheChecksum},
	{"FetchMediaChecksTheMagicBytes", fetchChecksTheMagicBytes},
	{"FetchMediaRefusesWhatIsTooLarge", fetchRefusesWhatIsTooLarge},
	{"FetchMediaMayBeCalledConcurrently", fetchConcurrently},
}

var abilityCases = []messengerCase{
	{"MarkReadReachesTheNetwork", markRead},
	{"MarkReadEndsWithItsContext", markReadEnds},
	{"UploadTwiceYieldsTwoIDs", uploadTwice},
	{"UploadRefusesWhatIsInvalid", uploadRefuses},
}

func oggOf(t *testing.T, tail string) []byte {
	t.Helper()
	return append(bytes.Clone(VoiceClip(t).Bytes()), tail...)
}

func fetchReturnsTheWhole(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil, "hold media")
	data := oggOf(t, string(make([]byte, 100<<10)))
	ref := n.PutMedia(domain.MIMEOggOpus, data)
	got, err := n.Messenger.FetchMedia(t.Context(), ref)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Data, data) || got.MIME != domain.MIMEOggOpus {
		t.Errorf("got %d bytes of %q, want %d of %q", len(got.Data), got.MIME, len(data), domain.MIMEOggOpus)
	}
}

func fetchMayBeRepeated(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil, "hold media")
	ref := n.PutMedia(domain.MIMEOggOpus, oggOf(t, "again"))
	for range 3 {
		if _, err := n.Messenger.FetchMedia(t.Context(), ref); err != nil {
			t.Fatal(err)
		}
	}
}

func fetchDoesNotFind(t *testing.T, n MessengerNetwork) {
	_, err := n.Messenger.FetchMedia(t.Context(), domain.MediaRef{ID: "404040404040", Number: messengerNumber, MIME: domain.MIMEOggOpus})
	wantSendKind(t, err, ports.KindNotFound)
	needNetwork(t, n.PutMedia != nil && n.LoseMedia != nil, "lose media")
	ref := n.PutMedia(domain.MIMEOggOpus, oggOf(t, "gone"))
	n.LoseMedia(ref)
	_, err = n.Messenger.FetchMedia(t.Context(), ref)
	wantSendKind(t, err, ports.KindNotFound)
}

func fetchChecksTheChecksum(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil, "hold media")
	ref := n.PutMedia(domain.MIMEOggOpus, oggOf(t, "sum"))
	if want := hexSHA256(oggOf(t, "sum")); ref.SHA256 != want {
		t.Fatalf("the harness gives the checksum %q, want %q", ref.SHA256, want)
	}
	other := ref
	other.SHA256 = hexSHA256([]byte("something else"))
	_, err := n.Messenger.FetchMedia(t.Context(), other)
	wantSendKind(t, err, ports.KindUnsupported)
	needNetwork(t, n.CorruptMedia != nil, "corrupt media")
	n.CorruptMedia(ref)
	_, err = n.Messenger.FetchMedia(t.Context(), ref)
	wantSendKind(t, err, ports.KindUnsupported)
}

func fetchChecksTheMagicBytes(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil, "hold media")
	_, err := n.Messenger.FetchMedia(t.Context(), n.PutMedia(domain.MIMEOggOpus, []byte("<html>this is no Ogg file</html>")))
	wantSendKind(t, err, ports.KindUnsupported)
	if _, err := n.Messenger.FetchMedia(t.Context(), n.PutMedia("application/x-unheard-of", []byte("anything"))); err != nil {
		t.Errorf("a type without known magic bytes was refused: %v", err)
	}
}

func fetchRefusesWhatIsTooLarge(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil && n.MediaLimit > 0, "limit media")
	fits := oggOf(t, "")
	fits = append(fits, make([]byte, n.MediaLimit-len(fits))...)
	if _, err := n.Messenger.FetchMedia(t.Context(), n.PutMedia(domain.MIMEOggOpus, fits)); err != nil {
		t.Errorf("an object of exactly the limit was refused: %v", err)
	}
	_, err := n.Messenger.FetchMedia(t.Context(), n.PutMedia(domain.MIMEOggOpus, append(fits, 0)))
	wantSendKind(t, err, ports.KindUnsupported)
}

// fetchConcurrently compares when all is done, so that a buffer that two downloads
// share shows whoever came first.
func fetchConcurrently(t *testing.T, n MessengerNetwork) {
	needNetwork(t, n.PutMedia != nil, "hold media")
	const downloads = 8
	var (
		start = make(chan struct{})
		wg    sync.WaitGroup
		want  [downloads][]byte
		got   [downloads]domain.Media
		errs  [downloads]error
	)
	for i := range downloads {
		want[i] = oggOf(t, fmt.Sprint("clip ", i))
		ref := n.PutMedia(domain.MIMEOggOpus, want[i])
		wg.Go(func() {
			<-start
			got[i], errs[i] = n.Messenger.FetchMedia(t.Context(), ref)
		})
	}
	close(start)
	wg.Wait()
	for i := range downloads {
		if errs[i] != nil || !bytes.Equal(got[i].Data, want[i]) {
			t.Errorf("a concurrent download failed or brought something else: %v", errs[i])
		}
	}
}

func markRead(t *testing.T, n MessengerNetwork) {
	marker, ok := n.Messenger.(ports.ReadMarker)
	needNetwork(t, ok && n.Receipts != nil, "take read receipts")
	want := []ReadReceipt{{messengerNumber, "wamid.A", false}, {messengerNumber, "wamid.B", true}, {messengerNumber, "wamid.B", true}}
	for _, r := range want {
		if err := marker.MarkRead(t.Context(), r.Number, r.Message, r.Typing); err != nil {
			t.Fatal(err)
		}
	}
	got := n.Receipts()
	if len(got) != len(want) {
		t.Fatalf("the network took %d receipts, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("receipt %d is %+v, want %+v", i, got[i], want[i])
		}
	}
	checkTraffic(t, n, 0, 0)
}

func markReadEnds(t *testing.T, n MessengerNetwork) {
	marker, ok := n.Messenger.(ports.ReadMarker)
	needNetwork(t, ok, "take read receipts")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	wantSendKind(t, marker.MarkRead(ctx, messengerNumber, "wamid.A", true), ports.KindCanceled)
}

func uploadTwice(t *testing.T, n MessengerNetwork) {
	up, ok := n.Messenger.(ports.MediaUploader)
	needNetwork(t, ok, "take uploads")
	var ids []domain.MediaID
	for range 2 {
		id, err := up.Upload(t.Context(), messengerNumber, VoiceClip(t))
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	if ids[0] == "" || ids[0] == ids[1] {
		t.Errorf("two uploads have the ids %q and %q", ids[0], ids[1])
	}
	out := textTo(messengerContact, "")
	out.Content = domain.OutboundVoice{Media: ids[0]}
	for range 2 { // a send that is tried again needs no second upload
		if _, err := n.Messenger.Send(t.Context(), out); err != nil {
			t.Fatal(err)
		}
	}
	for _, m := range n.Accepted() {
		if !bytes.Equal(m.Clip, VoiceClip(t).Bytes()) {
			t.Error("the uploaded clip did not arrive as it was")
		}
	}
	checkTraffic(t, n, 2, 2)
}

func uploadRefuses(t *testing.T, n MessengerNetwork) {
	up, ok := n.Messenger.(ports.MediaUploader)
	needNetwork(t, ok, "take uploads")
	_, err := up.Upload(t.Context(), messengerNumber, domain.Audio{})
	wantSendKind(t, err, ports.KindInvalid)
	_, err = up.Upload(t.Context(), "", VoiceClip(t))
	wantSendKind(t, err, ports.KindInvalid)
	wav, err := domain.NewAudio(domain.MIMEWAV, []byte("RIFF\x00\x00\x00\x00WAVEfmt "), 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = up.Upload(t.Context(), messengerNumber, wav)
	var e *ports.Error
	if !errors.As(err, &e) || e.Kind != ports.KindUnsupported || e.Scope != ports.ScopeMedia {
		t.Errorf("a clip that is no voice note: got %v, want kind %q and scope %q", err, ports.KindUnsupported, ports.ScopeMedia)
	}
}
