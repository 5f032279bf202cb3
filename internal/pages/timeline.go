package pages

// stage is one part of what a person waits for or does.
type stage struct {
	Text  string
	State string // done, now or next
}

// timeline shows how far something got: so many stages are done, and the one
// after them is going on, or still to come.
func timeline(done int, goesOn bool, texts ...string) []stage {
	list := make([]stage, 0, len(texts))
	for i, t := range texts {
		s := stage{t, "next"}
		switch {
		case i < done:
			s.State = "done"
		case i == done && goesOn:
			s.State = "now"
		}
		list = append(list, s)
	}
	return list
}
