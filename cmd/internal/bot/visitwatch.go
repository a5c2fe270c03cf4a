package bot

import (
	"net/url"
	"sync"

	"go.uber.org/zap"

	"whatsappnode/adapters/httpstatus"
	"whatsappnode/ports"
)

// visitWatch counts the visits that keep connections warm and fail, and tells the log
// when a server begins to fail and when it answers again. It is safe for concurrent use.
type visitWatch struct {
	watch *watch

	mu      sync.Mutex
	vendors map[string]string // scheme and host -> whose it is
	down    map[string]bool   // by scheme and host
}

func newVisitWatch(w *watch) *visitWatch {
	return &visitWatch{watch: w, vendors: map[string]string{}, down: map[string]bool{}}
}

// name says whose server a base URL names; of two vendors at one server the first counts.
func (v *visitWatch) name(vendor, base string) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" {
		return // told with the other settings, or by the vendor's adapter
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if at := u.Scheme + "://" + u.Host; v.vendors[at] == "" {
		v.vendors[at] = vendor
	}
	if v.watch.metrics != nil {
		v.watch.metrics.Visited(vendor)
	}
}

// told is what vendorhttp tells of a visit.
func (v *visitWatch) told(server string, err error) {
	v.mu.Lock()
	vendor, was := v.vendors[server], v.down[server]
	v.down[server] = err != nil
	v.mu.Unlock()
	if err != nil && v.watch.metrics != nil {
		v.watch.metrics.VisitFailed(vendor)
	}
	if was == (err != nil) {
		return
	}
	about := []zap.Field{zap.String("event", "vendor.up"), zap.String("vendor", vendor), zap.String("server", server)}
	if err == nil {
		v.watch.logger().Info("vendor.up", about...)
		return
	}
	about[0] = zap.String("event", "vendor.down")
	told := httpstatus.FromDo("visit", err, nil) // which quotes nothing that came from outside
	v.watch.logger().Warn("vendor.down", append(about, zap.String("kind", string(ports.KindOf(told))), zap.Error(told))...)
}
