package bot

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"go.uber.org/zap"

	"whatsappnode/adapters/vendorhttp"
	"whatsappnode/adapters/whatsapp"
	"whatsappnode/domain"
	"whatsappnode/ports"
)

var (
	_ ports.MessengerPort = (*switchboard)(nil)
	_ ports.ReadMarker    = (*switchboard)(nil)
	_ ports.MediaUploader = (*switchboard)(nil)
)

// switchboard does everything that concerns a business number with the token of that
// number. It is safe for concurrent use.
type switchboard struct {
	lines  []line
	byID   map[domain.NumberID]*whatsapp.Messenger
	others *whatsapp.Messenger // every other number; nil: there is no token for it

	log *zap.Logger
	mu  sync.Mutex
	ill map[string]bool // lines that were refused when last looked at
}

type line struct {
	name      string
	messenger *whatsapp.Messenger
}

// newSwitchboard speaks to Graph over the connections, which stay its caller's.
func newSwitchboard(cfg Config, all agents, connections *vendorhttp.Connections, log *zap.Logger) (*switchboard, error) {
	s := &switchboard{byID: map[domain.NumberID]*whatsapp.Messenger{}, log: log, ill: map[string]bool{}}
	client := connections.Client(cfg.WhatsApp.GraphBaseURL)
	for _, a := range all {
		own := a.number
		if own == "" {
			own = domain.NumberID(cfg.WhatsApp.PhoneNumberID)
		}
		m, err := whatsapp.New(whatsapp.Config{
			AccessToken: a.token.Current, PhoneNumberID: own, BaseURL: cfg.WhatsApp.GraphBaseURL,
			APIVersion: cfg.WhatsApp.GraphVersion, MediaHosts: cfg.WhatsApp.MediaHosts, MaxMediaBytes: int64(cfg.WhatsApp.MaxMedia),
		}, client)
		if err != nil {
			return nil, fmt.Errorf("GRAPH_BASE_URL, GRAPH_API_VERSION or MEDIA_HOSTS: %w", err)
		}
		if a.number == "" {
			s.others = m
		} else {
			s.byID[a.number] = m
		}
		s.lines = append(s.lines, line{a.name, m})
	}
	return s, nil
}

var errNoLine = errors.New("no token is known for this business number")

// of finds who speaks for a number. A number that was taken out of the agents file
// is denied: what waits for it goes out when it is back.
func (s *switchboard) of(number domain.NumberID, op string) (*whatsapp.Messenger, error) {
	if m, ok := s.byID[number]; ok {
		return m, nil
	}
	if s.others == nil {
		return nil, &ports.Error{Op: op, Kind: ports.KindDenied, Scope: ports.ScopeNumber, Err: errNoLine}
	}
	return s.others, nil
}

// Send implements ports.MessengerPort.
func (s *switchboard) Send(ctx context.Context, out domain.Outbound) (domain.MessageID, error) {
	if err := out.Validate(); err != nil {
		return "", &ports.Error{Op: "whatsapp.send", Kind: ports.KindInvalid, Err: err}
	}
	m, err := s.of(out.Number, "whatsapp.send")
	if err != nil {
		return "", err
	}
	return m.Send(ctx, out)
}

// FetchMedia implements ports.MessengerPort.
func (s *switchboard) FetchMedia(ctx context.Context, ref domain.MediaRef) (domain.Media, error) {
	m, err := s.of(ref.Number, "whatsapp.fetch_media")
	if err != nil {
		return domain.Media{}, err
	}
	return m.FetchMedia(ctx, ref)
}

// MarkRead implements ports.ReadMarker.
func (s *switchboard) MarkRead(ctx context.Context, number domain.NumberID, message domain.MessageID, typing bool) error {
	m, err := s.of(number, "whatsapp.mark_read")
	if err != nil {
		return err
	}
	return m.MarkRead(ctx, number, message, typing)
}

// Upload implements ports.MediaUploader.
func (s *switchboard) Upload(ctx context.Context, number domain.NumberID, clip domain.Audio) (domain.MediaID, error) {
	m, err := s.of(number, "whatsapp.upload")
	if err != nil {
		return "", err
	}
	return m.Upload(ctx, number, clip)
}

// Healthy returns why nothing can be sent, once that holds for every number: as long
// as one can work the process must stay in service for it. That the token of a single
// number is refused, or good again, is logged when it changes.
func (s *switchboard) Healthy() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var faults []error
	for _, l := range s.lines {
		err := l.messenger.Healthy()
		if err != nil {
			if l.name != "" {
				err = fmt.Errorf("agent %s: %w", l.name, err)
			}
			faults = append(faults, err)
		}
		if was := s.ill[l.name]; was != (err != nil) && len(s.lines) > 1 {
			s.ill[l.name] = err != nil
			if err != nil {
				s.log.Warn("access token refused", zap.String("agent", l.name), zap.Error(err))
			} else {
				s.log.Info("access token accepted again", zap.String("agent", l.name))
			}
		}
	}
	if len(faults) < len(s.lines) {
		return nil
	}
	return errors.Join(faults...)
}
