package ports

import (
	"context"
	"errors"

	"whatsappnode/domain"
)

// Meter follows what one turn spends. The application puts one into the context of
// every vendor call; decorators around the vendors read it there. Its methods may be
// called concurrently.
type Meter interface {
	// Begin is asked before each attempt that may cost about as much as expected. An
	// error forbids the attempt: it is of KindCanceled and wraps ErrOverBudget, so that
	// nobody repeats it or asks another vendor.
	Begin(ctx context.Context, expected domain.Money) error
	// End follows each Begin that was answered with nil, with what was used.
	End(expected domain.Money, e domain.Expense)
}

// ErrOverBudget says that a call was not made because no budget is left for it.
var ErrOverBudget = errors.New("no budget is left")

type meterKey struct{}

// WithMeter returns a context that carries a meter to the vendor calls.
func WithMeter(ctx context.Context, m Meter) context.Context {
	return context.WithValue(ctx, meterKey{}, m)
}

// MeterOf returns the meter of a context, or nil.
func MeterOf(ctx context.Context) Meter {
	m, _ := ctx.Value(meterKey{}).(Meter)
	return m
}
