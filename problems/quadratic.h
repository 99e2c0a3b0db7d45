#ifndef TWOFOLD_QUADRATIC_H
#define TWOFOLD_QUADRATIC_H
/* What the files of quadratic share: see the head of quadratic.c. */
#include <twofold/impl/blpimpl.h>

typedef struct {
  PetscInt n, m, seed; /* entries of w, of lambda */
  PetscReal mu, L, beta, gamma, eta1, eta2;
  PetscBool linear, symmetric, worst;

  Vec u;         /* of the reflector Q */
  Vec a, across; /* J at gamma = 0: its diagonal; of a map entries (2k, 2k+1) and (2k+1, 2k) of the blocks */
  Mat P;         /* N = diag(s) P */
  Vec s, h;
  Vec D, t, c;                /* of E; c is also the template of lambda's space */
  Vec diagonal, factor;       /* of J(lambda); d/dlambda grad_w l = Q diag(factor) P */
  Vec at_diagonal, at_factor; /* the same at the point of linearisation */
  Vec x, y, z, w, g1, gap;    /* work; gap in lambda's space */
} Quadratic;

/* y = Q x; y may be x. Collective. */
PetscErrorCode QuadraticReflect_Private(const Quadratic *qd, Vec x, Vec y);
/* g = P^T diag(d) y; y is changed. Collective. */
PetscErrorCode QuadraticCollect_Private(const Quadratic *qd, Vec d, Vec y, Vec g);
/* diagonal <- that of J(lambda). Collective. */
PetscErrorCode QuadraticGetDiagonal_Private(const Quadratic *qd, Vec lambda, Vec diagonal);
/* factor <- gamma exp(P lambda) * z - beta s. Collective. */
PetscErrorCode QuadraticGetFactor_Private(const Quadratic *qd, Vec lambda, Vec z, Vec factor);
/* y = J x, J^T x, J^{-1} x or J^{-T} x, J with this diagonal. */
typedef enum {
  QUADRATIC_MULT,
  QUADRATIC_MULT_TRANSPOSE,
  QUADRATIC_SOLVE,
  QUADRATIC_SOLVE_TRANSPOSE
} QuadraticOp;
PetscErrorCode QuadraticCore_Private(const Quadratic *qd, QuadraticOp op, Vec diagonal, Vec x, Vec y);

/* quadratic_make.c: the numbers of spaces that are there. Collective. */
PetscErrorCode QuadraticMake_Private(Quadratic *qd);

/* quadratic_bounds.c */
PetscErrorCode BLPStrongConvexity_Quadratic(BLP blp, Vec lambda, TwofoldConstant *mu);
PetscErrorCode BLPStrongConvexityGradient_Quadratic(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPSmoothness_Quadratic(BLP blp, Vec lambda, TwofoldConstant *L);
PetscErrorCode BLPSmoothnessGradient_Quadratic(BLP blp, Vec lambda, Vec g);
PetscErrorCode BLPContraction_Quadratic(BLP blp, Vec lambda, TwofoldConstant *q);
PetscErrorCode BLPLipschitz_Quadratic(BLP blp, Vec lambda, Vec w, PetscReal radius, BLPLipschitz *c);

#endif
