;; The loops over gradients and their integers (protocol section 3), four elements at a time. Vectors are copied here
;; block by block: what is read lies at 0, what is made or added to lies one page behind. $bytes is rounded up to whole
;; groups of four elements; what is made beyond the caller's last element is his to ignore.

(module
  ;; A page is 64 KiB: one to read, one to write.
  (memory (export "memory") 2 2)

  ;; Bits of the largest magnitude read: int32 & 0x7fffffff orders floats by size, infinity and NaN last.
  (func (export "largestMagnitude") (param $bytes i32) (result i32)
    (local $at i32) (local $largest v128) (local $mask v128)
    (local.set $mask (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))
    (loop $next
      (local.set $largest
        (i32x4.max_u (local.get $largest) (v128.and (local.get $mask) (v128.load (local.get $at)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))
    ;; The upper two lanes over the lower two, then the second over the first.
    (local.set $largest (i32x4.max_u (local.get $largest)
      (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $largest) (local.get $largest))))
    (local.set $largest (i32x4.max_u (local.get $largest)
      (i8x16.shuffle 4 5 6 7 0 1 2 3 12 13 14 15 8 9 10 11 (local.get $largest) (local.get $largest))))
    (i32x4.extract_lane 0 (local.get $largest)))

  ;; made = roundHalfEven(read x factor). The factor is a power of two, so the product is exact, or else so small that
  ;; it rounds to 0 either way.
  (func (export "quantise") (param $bytes i32) (param $factor f32)
    (local $at i32) (local $factors v128)
    (local.set $factors (f32x4.splat (local.get $factor)))
    (loop $next
      (v128.store offset=65536 (local.get $at)
        (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load (local.get $at)) (local.get $factors)))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes)))))

  ;; made += roundHalfEven(read x factor): a further shard of the same member.
  (func (export "quantiseAdd") (param $bytes i32) (param $factor f32)
    (local $at i32) (local $factors v128)
    (local.set $factors (f32x4.splat (local.get $factor)))
    (loop $next
      (v128.store offset=65536 (local.get $at) (i32x4.add (v128.load offset=65536 (local.get $at))
        (i32x4.trunc_sat_f32x4_s (f32x4.nearest (f32x4.mul (v128.load (local.get $at)) (local.get $factors))))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes)))))

  ;; made += read, wrapping as int32 does.
  (func (export "add") (param $bytes i32)
    (local $at i32)
    (loop $next
      (v128.store offset=65536 (local.get $at)
        (i32x4.add (v128.load offset=65536 (local.get $at)) (v128.load (local.get $at))))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes)))))

  ;; made = read x factor: integers in, floats out. The factor is a power of two, so only the conversion rounds.
  (func (export "dequantise") (param $bytes i32) (param $factor f32)
    (local $at i32) (local $factors v128)
    (local.set $factors (f32x4.splat (local.get $factor)))
    (loop $next
      (v128.store offset=65536 (local.get $at)
        (f32x4.mul (f32x4.convert_i32x4_s (v128.load (local.get $at))) (local.get $factors)))
      (local.set $at (i32.add (local.get $at) (i32.const 16)))
      (br_if $next (i32.lt_u (local.get $at) (local.get $bytes))))))
