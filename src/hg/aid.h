#ifndef TWOFOLD_AID_H
#define TWOFOLD_AID_H
/* What the files of aid share: see the head of aid.c. */
#include <twofold/impl/hgimpl.h>
#include <twofold/impl/precondimpl.h>

typedef struct {
  HG hg;
  FPM fpm;
  KSP ksp;
  Mat A;                 /* I - d1Phi^T, and its transpose */
  Vec b, v, r, dv;       /* flat: right-hand side, solution, residual, part of a solution */
  State in, out;         /* laid over the flat vectors of a product */
  State vview;           /* laid over v between solves */
  State accepted;        /* v where warm starts begin; by vectors, as flat ones depend on the ranks */
  PetscBool fixed;       /* exactly k steps */
  PetscInt products;     /* of the solve at hand, with its residuals */
  PetscReal bnorm;       /* ||b|| of the solve at hand */
  PetscBool solving;     /* the KSP is at work: its products ask whether to stop */
  PetscBool warmed;      /* accepted holds a v */
  Precond own, precond;  /* as set, and the one in use: the lower level's, where that is the same */
  HGSweepOperator sweep; /* what A is a multiple of, at the last point */
  PetscBool lanczos;
  TwofoldConstant largest, smallest; /* Lanczos values of the last solve */
  HGChebyshev chebyshev;
  KSPType standard; /* the type given to a KSP that had none; NULL where the caller chose */
} AID;

/* A, on vectors like b. Collective. */
PetscErrorCode HGAIDCreateOperator_Private(HG hg);
/* The operator at (hg->x, lambda). Collective. */
PetscErrorCode HGAIDLinearize_Private(HG hg, Vec lambda);
/* Takes back the state that HGGetAdjoint() lends. */
PetscErrorCode HGAIDLiftAdjoint_Private(HG hg);

/* aid_setup.c */
PetscErrorCode HGSetFromOptions_AID(HG hg, PetscOptionItems *PetscOptionsObject);
PetscErrorCode HGSetUp_AID(HG hg);
/* Drops what set-up brought. */
PetscErrorCode HGAIDReset_Private(HG hg);

#endif
