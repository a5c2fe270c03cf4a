package telemetry

// EventNames are the stable names of events.
func EventNames() []string {
	names := []string{"dedup.miss"}
	for _, e := range events {
		names = append(names, e.ok, e.fail)
	}
	return names
}
