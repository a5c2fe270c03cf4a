package simulator

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// readNumber answers GET /{phone_number_id}, in full or with the fields that are asked for. The id comes always; a
// field that does not exist is an error, as everywhere in the Graph API.
func (s *Simulator) readNumber(w http.ResponseWriter, r *http.Request) {
	all := []struct {
		name  string
		value any
	}{
		{"verified_name", s.cfg.BusinessName},
		{"code_verification_status", "VERIFIED"},
		{"display_phone_number", s.cfg.DisplayPhone},
		{"quality_rating", "GREEN"},
		{"platform_type", "CLOUD_API"},
		{"throughput", obj("level", "STANDARD")},
		{"is_on_biz_app", s.cfg.OnBizApp},
		{"id", s.cfg.PhoneNumberID},
	}
	var wanted []string
	for _, name := range strings.Split(r.URL.Query().Get("fields"), ",") {
		if name = strings.TrimSpace(name); name != "" {
			wanted = append(wanted, name)
		}
	}
	answer := obj()
	unknown := slices.Clone(wanted)
	for _, f := range all {
		if len(wanted) == 0 || slices.Contains(wanted, f.name) || f.name == "id" {
			answer.set(f.name, f.value)
		}
		unknown = slices.DeleteFunc(unknown, func(name string) bool { return name == f.name })
	}
	if len(unknown) > 0 {
		s.refuseGraph(w, r, parameter(fmt.Sprintf("Tried accessing nonexisting field (%s) on node type (WhatsAppBusinessPhoneNumber)", unknown[0]),
			"The field does not exist."))
		return
	}
	writeJSON(w, http.StatusOK, answer)
}
