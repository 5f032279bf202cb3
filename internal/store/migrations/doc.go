// Package migrations holds the schema, step by step, as one SQL text for both
// engines, apart from a few steps that each has in a folder of its own, and
// applies it at start. It imports nothing of this module; only the
// engines import it.
package migrations
