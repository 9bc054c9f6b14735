module threeport.io/bench

go 1.24
