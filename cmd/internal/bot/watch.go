package bot

import (
	"context"
	"sync/atomic"

	"go.uber.org/zap"

	"whatsappnode/adapters/decorate"
	"whatsappnode/ports"
)

// watch writes what happens between us and the vendors to the log. The engines are
// chosen before there is a log, so it gets one later.
type watch struct{ log atomic.Pointer[zap.Logger] }

func (w *watch) logger() *zap.Logger {
	if l := w.log.Load(); l != nil {
		return l
	}
	return zap.NewNop()
}

// breaker tells that a vendor is left alone, tried again, or well.
func (w *watch) breaker(provider, operation string, state decorate.State) {
	level := w.logger().Info
	if state == decorate.StateOpen {
		level = w.logger().Warn
	}
	level("vendor.breaker", zap.String("vendor", provider), zap.String("operation", operation), zap.String("state", string(state)))
}

func (w *watch) observer() decorate.Observer {
	return decorate.Observer{
		OnCall: func(_ context.Context, c decorate.Call) {
			fields := []zap.Field{
				zap.String("vendor", c.Provider), zap.String("operation", c.Operation), zap.Int("attempt", c.Attempt),
				zap.Duration("took", c.Took), zap.Duration("first_token", c.FirstToken),
				zap.Int("characters", c.Characters), zap.Int("audio_bytes", c.AudioBytes), zap.Duration("audio", c.Audio),
				zap.Int("tokens_in", c.Usage.Input), zap.Int("tokens_out", c.Usage.Output),
			}
			if c.Err == nil || c.Kind == ports.KindCanceled { // the loser of a hedge, or nobody listens any more
				w.logger().Debug("vendor.call", fields...)
				return
			}
			w.logger().Warn("vendor.failed", append(fields, zap.String("kind", string(c.Kind)), zap.Error(c.Err))...)
		},
		OnSwitch: func(_ context.Context, s decorate.Switch) {
			w.logger().Warn("vendor.switched", zap.String("operation", s.Operation), zap.String("from", s.From), zap.String("to", s.To),
				zap.String("kind", string(s.Kind)), zap.Bool("hedge", s.Hedge))
		},
	}
}
