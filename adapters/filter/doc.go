// Package filter holds the filters that stand between a user and a model: personal data
// is masked, and words of a list are. Which of them are used, and on which way, is a
// setting; another implementation of ports.FilterPort can stand beside them.
package filter
