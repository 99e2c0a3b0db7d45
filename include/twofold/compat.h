#ifndef TWOFOLD_COMPAT_H
#define TWOFOLD_COMPAT_H
/* Differences between PETSc 3.18 and current, all in this one place. */
#include <petscsys.h>

#if PETSC_VERSION_LT(3, 18, 0)
#error "Twofold needs PETSc 3.18 or newer"
#endif

#if defined(PETSC_USE_COMPLEX) || !defined(PETSC_USE_REAL_DOUBLE)
#error "Twofold needs PETSc with real scalars in double precision"
#endif

#if PETSC_VERSION_LT(3, 19, 0)
#define PETSC_SUCCESS 0
#endif

/* 3.19 made PetscErrorCode an enum: integers need a cast on their way in. */
#define TwofoldErrorCode(i) ((PetscErrorCode)(i))

#endif
