package bot

import (
	"context"

	"whatsappnode/domain"
	"whatsappnode/ports"
)

// graphStatus is the operation of an error that a status webhook told.
const graphStatus = "status"

// statusWatch counts and files what Meta says of our sends, once it is recorded.
type statusWatch struct {
	ports.ConversationPort
	watch *watch
}

// conversations puts the watch around the store, where anybody wants to know.
func (w *watch) conversations(next ports.ConversationPort) ports.ConversationPort {
	if w.metrics == nil && w.tracer == nil {
		return next
	}
	return statusWatch{next, w}
}

// Observe implements ports.ConversationPort.
func (s statusWatch) Observe(ctx context.Context, statuses []domain.Status) ([]ports.Observation, error) {
	out, err := s.ConversationPort.Observe(ctx, statuses)
	for i, o := range out {
		if !o.New {
			continue
		}
		st := statuses[i]
		s.watch.tracer.Delivery(ctx, st, o.Turn)
		if st.Failure != nil && s.watch.metrics != nil {
			s.watch.metrics.GraphError(graphStatus, codeWord(st.Failure.Code), string(st.Failure.Class))
		}
	}
	return out, err
}
