;; Store file names that guix-daemon gave, for the store /gnu/store.
;; Texts: name, contents, references, path.  Archives and files: name, whether
;; an archive is hashed, algorithm, hash, path.
(text "hello.txt" "hello\n" ()
      "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt")
(text "empty" "" ()
      "/gnu/store/10vvmw4rs15w4nw32yd0555fblakzj6j-empty")
(text "refs" "/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt\n/gnu/store/10vvmw4rs15w4nw32yd0555fblakzj6j-empty\n" ("/gnu/store/k9pad896kygyvpxli7f20bkl9813p9y4-hello.txt" "/gnu/store/10vvmw4rs15w4nw32yd0555fblakzj6j-empty")
      "/gnu/store/s41b1zva5cd51d49pkar5qw3xayy03dx-refs")
(text "utf8" "κόσμε λ ✓\n" ()
      "/gnu/store/d1mn97dpp2n43310639ja0nc92krffnh-utf8")
(content "tree" #t "sha256"
         "eab29aa39d7351351c5bcbc2febc8076be4dd21a96e2186e7202c52d4930417c"
         "/gnu/store/0f3p5pdv7iwnh3kjimk6nmv38rk7508s-tree")
(content "tree" #t "sha1"
         "7f321f0f288c70d54d5acd7c7b360fc4458b62e6"
         "/gnu/store/llxf284ilnippc04akvyjva7va4rf1f2-tree")
(content "tree" #t "md5"
         "37298f00c0a78c2ba583cd507e37f012"
         "/gnu/store/8q7fhpr6vqmmgbf73k44bp4z7kz1cv7w-tree")
(content "tree" #t "sha512"
         "a4579f1073b1ca09de04961962be030f90b5d902ed9495919f1606f2954d4b4c3bc2906fb8fb2c8ef957ba7a9d8ebc92b681f884ddcb70d6b2cd40b5b6811de8"
         "/gnu/store/d1d4f8qclvn0nhmkmj6bzx5x6lim8aw5-tree")
(content "tree" #t "sha3-256"
         "6291f1b529eda023311204254018953c34aff8459a681f3fb4d4102be7b9e6c2"
         "/gnu/store/4972l5s2d7g0gq6ywdld7h29qg9aaj5a-tree")
(content "tree" #t "sha3-512"
         "a9855d8945097865413608b5bea9a58ac0c6e26d3303da910594294b02be2f568c6a07a9cb0b7087e1b77f467fc66d3ef3034be392be730272b0b0630ebdaa1b"
         "/gnu/store/z16p5259p6z880h61gjgyi92wiwm151l-tree")
(content "tree" #t "blake2s-256"
         "f1077b6c9d79a21422976734bda730484e4369780b03be22731ce4c6d99028ad"
         "/gnu/store/nwyh7iv235214mzxv8d2bk6la94wkv9a-tree")
(content "plain" #f "sha256"
         "0e31b4805c16422e0fc62f097ac11c858e6ba3f9c49e5dffec2e1bfe51db6a09"
         "/gnu/store/glshlyk2nr5ss7r20dwvvz8nx70w9jbr-plain")
(content "plain" #f "sha1"
         "50e6c382fa011f4b4209ecb7c76f78a0bcae7bc9"
         "/gnu/store/2if56hsk92qmxjkdxb5yxs2sj19k4c8v-plain")
(content "plain" #f "md5"
         "c8969d3d47e389e5fb5680f3f0dd1845"
         "/gnu/store/rl33lfbpjsjzns8z1jdx5816zlbbcx8k-plain")
(content "plain" #f "sha512"
         "da25bdd78e549ba481721df9c2f31256dc0a6dcea1555bf90a6cd4c54b6ba2e31cc47a82ceb24a213d7034335f92e973ef58ce833f4bd4b4ee7e90155edb1abf"
         "/gnu/store/2qq68qh16bydj3if6c6015dpk2ab9dgj-plain")
(content "plain" #f "sha3-256"
         "9950409a0f791bafe5d1b899314c72c809753d1a8813155a29e14f5c8a5bd70b"
         "/gnu/store/19f6lfsdfml1mkx53gcsx84wm4rchl4s-plain")
(content "plain" #f "sha3-512"
         "ac324373cab978a9d3be2359eb8640f2622b306d81fb10554e0264355be62f75f47b278c51f9f23a11eeea1911f5252ccd15afca8410f69f4d01fea390d7d294"
         "/gnu/store/5jjn846k8cy8ccbyckczrvkh27yhyqxa-plain")
(content "plain" #f "blake2s-256"
         "2c675d55de4019beef96b9fb26d665fbd23be8a0560ff34c2ddd80f42bc3e8d0"
         "/gnu/store/lv95bd0v46jnnld6nlydy6jd5pg932xw-plain")
