;; Pairs of hexadecimal text and the base32 that a guix client prints.
((""
  "")
 ("61"
  "31")
 ("6162"
  "0qk1")
 ("616263"
  "66qk1")
 ("68656c6c6f20776f726c64"
  "34dir6yxr0dxn6qrb8")
 ("3031323334353637383961626364656630313233343536373839616263646566"
  "0rk5ciin4q9r70vkcd9l6cr32c36cmj66qk174w3fdim6hrk4c9h")
 ("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
  "0mdqa9w1p6cmli6976v4wi0sw9r4p5prkj7lzfd1877wk11c9c73"))
