// Package phpjson writes JSON in the spelling of PHP's json_encode. Receivers
// written in PHP check a webhook's signature over what json_decode followed by
// json_encode makes of the body (spec "Invoice webhook"); only a body that is
// already in that spelling survives it byte for byte. It imports nothing of this
// module; outbox imports it.
package phpjson
