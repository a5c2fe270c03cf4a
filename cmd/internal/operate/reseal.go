package operate

import (
	"context"
	"fmt"
	"io"
)

// Resealer is a store that can bring what it holds under its first key.
type Resealer interface {
	Reseal(ctx context.Context) (int, error)
}

// Reseal brings everything stored under the first key and writes how much that was.
func Reseal(ctx context.Context, store Resealer, out io.Writer, opt Options) error {
	n, err := store.Reseal(ctx)
	if err != nil {
		return fmt.Errorf("reseal: %w", err)
	}
	if opt.JSON {
		return document(out, struct {
			Sealed int `json:"sealed"`
		}{n})
	}
	return say(out, "Sealed %s with the first key. All of the store is sealed by it.", plural(n, "record", "records"))
}
