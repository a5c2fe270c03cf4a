package simulator

import "net/http"

// subscriptionsEdge is the part of a path that asks what webhooks an app is subscribed to.
const subscriptionsEdge = "subscriptions"

// readSubscriptions answers GET /{app_id}/subscriptions.
func (s *Simulator) readSubscriptions(w http.ResponseWriter) {
	fields := []any{}
	for _, name := range s.cfg.WebhookFields {
		fields = append(fields, obj("name", name, "version", "v26.0"))
	}
	s.mu.Lock()
	callback := s.hookURL
	s.mu.Unlock()
	writeJSON(w, http.StatusOK, obj("data", []any{
		obj("object", "whatsapp_business_account", "callback_url", callback, "active", true, "fields", fields),
	}))
}
