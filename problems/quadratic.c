/*
  quadratic: a problem of which everything is known in closed form, of any size and condition number. It needs
  no samples, and its numbers do not depend on the number of ranks.

    l(w, lambda) = 1/2 w^T A w - w^T (b + beta S lambda),     A = Q diag(a) Q

  or, with -blp_quadratic_symmetric 0, a map whose d1Phi is not symmetric and, where n > 1, not normal:

    Phi(w, lambda) = M w + beta S lambda + b,                 M = Q K Q

  Q = I - 2 u u^T is a reflector of random unit u, and S = Q N, where row i of N has one entry, in column i
  mod m, such that N^T N = I (but for columns j >= n, which are 0): ||S|| = 1. The spectrum is log-spaced (or
  linear) in [mu, L]. K has 2 x 2 blocks K_k = (1 - a_k) R(theta_k) diag(1, s_k), R a random rotation and s_k
  random in [0, 1), so that ||M|| = q = 1 - mu. With J = diag(a), or J = I - K, both are the one residual

    r(w, lambda) = Q (J z - beta N lambda - h),  z = Q w,  b = Q h:     grad_w l = r,     Phi = w - r

  and w(lambda) = Q J^{-1} (h + beta N lambda). The upper level is

    E(w, lambda) = 1/2 (w - t)^T D (w - t) + eta2 w^T S lambda + 1/2 ||lambda - c||^2

    grad1 E = D (w - t) + eta2 S lambda,     grad2 E = eta2 S^T w + lambda - c

  with D = eta1 diag(1, 1/2, 1/3, 1, 1/2, 1/3, ...): eta1 and eta2 are their Lipschitz constants in w. f is
  strongly convex. The coupling gamma > 0 (of a loss) makes the Hessian depend on lambda,

    a_i(lambda) = a_i + gamma exp(lambda_j),   j = i mod m

    d/dlambda grad_w l = Q (gamma diag(exp(lambda_j) z_i) P - beta N),     P: the pattern of N, of ones

  The columns of P have disjoint entries, so that ||d/dlambda grad_w l|| is the largest norm of a column and
  nu2 = gamma max exp(lambda_j). nu1 = 0. x of h = J x, t and c are random, N(0,1).

  With -blp_quadratic_worst all errors lie in one direction, the eigenvector Q e_1 of mu: N is e_1 e_1^T, x is
  e_1, t is 0, D = eta1 I, and K_1 = q I. From w_0 = 0 and v_0 = 0 the bounds of the error of the
  hypergradient are then attained wherever lambda_1 >= 0.
*/
#include "quadratic.h"

/* ------------------------------------------------------------------ linear algebra */

/* y = Q x; y may be x. */
PetscErrorCode QuadraticReflect_Private(const Quadratic *qd, Vec x, Vec y)
{
  PetscScalar along;

  PetscFunctionBegin;
  PetscCall(VecDot(x, qd->u, &along));
  if (x != y) PetscCall(VecCopy(x, y));
  PetscCall(VecAXPY(y, -2 * along, qd->u));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = diag(d) P lambda */
static PetscErrorCode Spread(const Quadratic *qd, Vec d, Vec lambda, Vec y)
{
  PetscFunctionBegin;
  PetscCall(MatMult(qd->P, lambda, y));
  PetscCall(VecPointwiseMult(y, y, d));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* g = P^T diag(d) y; y is changed. */
PetscErrorCode QuadraticCollect_Private(const Quadratic *qd, Vec d, Vec y, Vec g)
{
  PetscFunctionBegin;
  PetscCall(VecPointwiseMult(y, y, d));
  PetscCall(MatMultTranspose(qd->P, y, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* diagonal <- that of J(lambda) */
PetscErrorCode QuadraticGetDiagonal_Private(const Quadratic *qd, Vec lambda, Vec diagonal)
{
  PetscFunctionBegin;
  if (qd->gamma == 0) { /* it is a, and stays so */
    PetscCall(VecCopy(qd->a, diagonal));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(MatMult(qd->P, lambda, diagonal));
  PetscCall(VecExp(diagonal));
  PetscCall(VecAYPX(diagonal, qd->gamma, qd->a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* factor <- gamma exp(P lambda) * z - beta s */
PetscErrorCode QuadraticGetFactor_Private(const Quadratic *qd, Vec lambda, Vec z, Vec factor)
{
  PetscFunctionBegin;
  if (qd->gamma == 0) {
    PetscCall(VecCopy(qd->s, factor));
    PetscCall(VecScale(factor, -qd->beta));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(MatMult(qd->P, lambda, factor));
  PetscCall(VecExp(factor));
  PetscCall(VecPointwiseMult(factor, factor, z));
  PetscCall(VecAXPBY(factor, -qd->beta, qd->gamma, qd->s));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = J x, J^T x, J^{-1} x or J^{-T} x, J with this diagonal. */
PetscErrorCode QuadraticCore_Private(const Quadratic *qd, QuadraticOp op, Vec diagonal, Vec x, Vec y)
{
  const PetscBool mult = (PetscBool)(op == QUADRATIC_MULT || op == QUADRATIC_MULT_TRANSPOSE);
  const PetscScalar *a, *across, *in;
  PetscScalar *out;
  PetscInt n;

  PetscFunctionBegin;
  if (qd->symmetric) {
    PetscCall(mult ? VecPointwiseMult(y, diagonal, x) : VecPointwiseDivide(y, x, diagonal));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  PetscCall(VecGetLocalSize(x, &n));
  PetscCall(VecGetArrayRead(diagonal, &a));
  PetscCall(VecGetArrayRead(qd->across, &across));
  PetscCall(VecGetArrayRead(x, &in));
  PetscCall(VecGetArrayWrite(y, &out));
  for (PetscInt i = 0; i < n; i++) {
    const PetscInt k = PetscMin(i ^ 1, n - 1); /* the other of the pair; i where it has none */
    const PetscReal o = op == QUADRATIC_MULT || op == QUADRATIC_SOLVE ? across[i] : across[k];
    out[i] =
        mult ? a[i] * in[i] + o * in[k] : (a[k] * in[i] - o * in[k]) / (a[i] * a[k] - across[i] * across[k]);
  }
  PetscCall(VecRestoreArrayWrite(y, &out));
  PetscCall(VecRestoreArrayRead(x, &in));
  PetscCall(VecRestoreArrayRead(qd->across, &across));
  PetscCall(VecRestoreArrayRead(diagonal, &a));
  PetscCall(PetscLogFlops((mult ? 3.0 : 7.0) * (double)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = Q J Q v, or Q J^T Q v, at the point of linearisation. */
static PetscErrorCode Product(const Quadratic *qd, QuadraticOp op, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(QuadraticReflect_Private(qd, v, qd->x));
  PetscCall(QuadraticCore_Private(qd, op, qd->at_diagonal, qd->x, y));
  PetscCall(QuadraticReflect_Private(qd, y, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y = h + beta N lambda */
static PetscErrorCode RightHandSide(const Quadratic *qd, Vec lambda, Vec y)
{
  PetscFunctionBegin;
  PetscCall(Spread(qd, qd->s, lambda, y));
  PetscCall(VecAYPX(y, qd->beta, qd->h));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* r(w, lambda), and the loss where l is not NULL. */
static PetscErrorCode Residual(const Quadratic *qd, Vec lambda, Vec w, PetscReal *l, Vec r)
{
  PetscReal quadratic, linear;

  PetscFunctionBegin;
  PetscCall(QuadraticGetDiagonal_Private(qd, lambda, qd->diagonal));
  PetscCall(RightHandSide(qd, lambda, qd->y));
  PetscCall(QuadraticReflect_Private(qd, w, qd->x));
  PetscCall(QuadraticCore_Private(qd, QUADRATIC_MULT, qd->diagonal, qd->x, r));
  if (l) {
    PetscCall(VecDot(qd->x, r, &quadratic));
    PetscCall(VecDot(qd->x, qd->y, &linear));
    *l = quadratic / 2 - linear;
  }
  PetscCall(VecAXPY(r, -1, qd->y));
  PetscCall(QuadraticReflect_Private(qd, r, r));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Linearize(BLP blp, Vec lambda, Vec w)
{
  const Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  PetscCall(QuadraticGetDiagonal_Private(qd, lambda, qd->at_diagonal));
  PetscCall(QuadraticReflect_Private(qd, w, qd->x));
  PetscCall(QuadraticGetFactor_Private(qd, lambda, qd->x, qd->at_factor));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the problem */

static PetscErrorCode BLPUpper_Quadratic(BLP blp, Vec lambda, Vec w, PetscReal *E, Vec g1, Vec g2)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscReal distance, mixed, gap;

  PetscFunctionBegin;
  PetscCall(VecWAXPY(qd->gap, -1, qd->c, lambda));
  PetscCall(VecNorm(qd->gap, NORM_2, &gap));
  PetscCall(VecWAXPY(qd->x, -1, qd->t, w));
  PetscCall(VecPointwiseMult(qd->z, qd->D, qd->x));
  PetscCall(VecDot(qd->x, qd->z, &distance));
  PetscCall(Spread(qd, qd->s, lambda, qd->y));
  PetscCall(QuadraticReflect_Private(qd, qd->y, qd->y));
  PetscCall(VecDot(w, qd->y, &mixed));
  *E = distance / 2 + qd->eta2 * mixed + gap * gap / 2;
  if (g1) PetscCall(VecWAXPY(g1, qd->eta2, qd->y, qd->z));
  if (g2) {
    PetscCall(QuadraticReflect_Private(qd, w, qd->x));
    PetscCall(QuadraticCollect_Private(qd, qd->s, qd->x, g2));
    PetscCall(VecAYPX(g2, qd->eta2, qd->gap));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPExact_Quadratic(BLP blp, Vec lambda, Vec w, PetscReal *f, Vec g)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  const Vec solution = w ? w : qd->w;

  PetscFunctionBegin;
  PetscCall(QuadraticGetDiagonal_Private(qd, lambda, qd->diagonal));
  PetscCall(RightHandSide(qd, lambda, qd->x));
  PetscCall(QuadraticCore_Private(qd, QUADRATIC_SOLVE, qd->diagonal, qd->x, qd->z));
  PetscCall(QuadraticGetFactor_Private(qd, lambda, qd->z, qd->factor));
  PetscCall(QuadraticReflect_Private(qd, qd->z, solution));
  PetscCall(BLPUpper_Quadratic(blp, lambda, solution, f, qd->g1, g));
  if (!g) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(QuadraticReflect_Private(qd, qd->g1, qd->g1));
  PetscCall(QuadraticCore_Private(qd, QUADRATIC_SOLVE_TRANSPOSE, qd->diagonal, qd->g1, qd->x)); /* Q v */
  PetscCall(QuadraticCollect_Private(qd, qd->factor, qd->x, qd->gap));
  PetscCall(VecAXPY(g, -1, qd->gap));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossGradient_Quadratic(BLP blp, Vec lambda, Vec w, PetscReal *l, Vec g)
{
  return Residual((Quadratic *)blp->data, lambda, w, l, g);
}

static PetscErrorCode BLPLossHessian_Quadratic(BLP blp, Vec v, Vec y)
{
  return Product((Quadratic *)blp->data, QUADRATIC_MULT, v, y);
}

/* (Q diag(a) Q)_ii = a_i (1 - 4 u_i^2) + 4 u_i^2 <u, a u> */
static PetscErrorCode BLPLossHessianDiagonal_Quadratic(BLP blp, Vec d)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscReal mean;

  PetscFunctionBegin;
  PetscCall(VecPointwiseMult(qd->x, qd->u, qd->u));
  PetscCall(VecDot(qd->x, qd->at_diagonal, &mean));
  PetscCall(VecScale(qd->x, 4));
  PetscCall(VecPointwiseMult(qd->y, qd->x, qd->at_diagonal));
  PetscCall(VecWAXPY(d, -1, qd->y, qd->at_diagonal));
  PetscCall(VecAXPY(d, mean, qd->x));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCross_Quadratic(BLP blp, Vec u, Vec y)
{
  const Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  PetscCall(Spread(qd, qd->at_factor, u, y));
  PetscCall(QuadraticReflect_Private(qd, y, y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPLossCrossTranspose_Quadratic(BLP blp, Vec v, Vec g)
{
  const Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  PetscCall(QuadraticReflect_Private(qd, v, qd->x));
  PetscCall(QuadraticCollect_Private(qd, qd->at_factor, qd->x, g));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The same of the map Phi = w - r. */
static PetscErrorCode BLPMapApply_Quadratic(BLP blp, Vec lambda, Vec w, Vec y)
{
  PetscFunctionBegin;
  PetscCall(Residual((Quadratic *)blp->data, lambda, w, NULL, y));
  PetscCall(VecAYPX(y, -1, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapJVP_Quadratic(BLP blp, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(Product((Quadratic *)blp->data, QUADRATIC_MULT, v, y));
  PetscCall(VecAYPX(y, -1, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapVJP_Quadratic(BLP blp, Vec v, Vec y)
{
  PetscFunctionBegin;
  PetscCall(Product((Quadratic *)blp->data, QUADRATIC_MULT_TRANSPOSE, v, y));
  PetscCall(VecAYPX(y, -1, v));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapParameterJVP_Quadratic(BLP blp, Vec u, Vec y)
{
  PetscFunctionBegin;
  PetscCall(BLPLossCross_Quadratic(blp, u, y));
  PetscCall(VecScale(y, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPMapParameterVJP_Quadratic(BLP blp, Vec v, Vec g)
{
  PetscFunctionBegin;
  PetscCall(BLPLossCrossTranspose_Quadratic(blp, v, g));
  PetscCall(VecScale(g, -1));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ life cycle */

static PetscErrorCode BLPReset_Quadratic(BLP blp)
{
  Quadratic *qd = (Quadratic *)blp->data;
  Vec *const vecs[] = {&qd->u, &qd->a, &qd->across,   &qd->s,      &qd->h,           &qd->D,
                       &qd->t, &qd->c, &qd->diagonal, &qd->factor, &qd->at_diagonal, &qd->at_factor,
                       &qd->x, &qd->y, &qd->z,        &qd->w,      &qd->g1,          &qd->gap};

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  PetscCall(MatDestroy(&qd->P));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Pairs of entries of w, those of a block, stay on one rank. */
static PetscErrorCode CreateSpaces(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  Quadratic *qd = (Quadratic *)blp->data;
  PetscInt pairs = PETSC_DECIDE, npairs = qd->n / 2 + qd->n % 2, last;

  PetscFunctionBegin;
  PetscCall(PetscSplitOwnership(comm, &pairs, &npairs));
  PetscCallMPI(MPI_Scan(&pairs, &last, 1, MPIU_INT, MPI_SUM, comm));
  const PetscInt odd = pairs > 0 && last == npairs ? qd->n % 2 : 0;
  PetscCall(VecCreate(comm, &qd->u));
  PetscCall(VecSetSizes(qd->u, 2 * pairs - odd, qd->n));
  PetscCall(VecSetFromOptions(qd->u));
  PetscCall(VecCreate(comm, &qd->c));
  PetscCall(VecSetSizes(qd->c, PETSC_DECIDE, qd->m));
  PetscCall(VecSetFromOptions(qd->c));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetUp_Quadratic(BLP blp)
{
  Quadratic *qd = (Quadratic *)blp->data;
  Vec *const vecs[] = {&qd->a,           &qd->s,         &qd->h, &qd->D, &qd->t, &qd->diagonal, &qd->factor,
                       &qd->at_diagonal, &qd->at_factor, &qd->x, &qd->y, &qd->z, &qd->w,        &qd->g1};

  PetscFunctionBegin;
  PetscCall(BLPReset_Quadratic(blp));
  blp->nlambda = qd->m;
  blp->nw = qd->n;
  PetscCall(CreateSpaces(blp));
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDuplicate(qd->u, vecs[i]));
  if (!qd->symmetric) PetscCall(VecDuplicate(qd->u, &qd->across));
  PetscCall(VecDuplicate(qd->c, &qd->gap));
  PetscCall(QuadraticMake_Private(qd));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPCreateVecs_Quadratic(BLP blp, Vec *lambda, Vec *w)
{
  Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  if (lambda) PetscCall(VecDuplicate(qd->c, lambda));
  if (w) PetscCall(VecDuplicate(qd->u, w));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The lower level is a loss or a map. */
static void SetOps(BLP blp)
{
  const PetscBool loss = ((Quadratic *)blp->data)->symmetric;
  struct _BLPOps *ops = blp->ops;

  ops->lossgradient = loss ? BLPLossGradient_Quadratic : NULL;
  ops->losslinearize = loss ? Linearize : NULL;
  ops->losshessian = loss ? BLPLossHessian_Quadratic : NULL;
  ops->losshessiandiagonal = loss ? BLPLossHessianDiagonal_Quadratic : NULL;
  ops->losscross = loss ? BLPLossCross_Quadratic : NULL;
  ops->losscrosstranspose = loss ? BLPLossCrossTranspose_Quadratic : NULL;
  ops->strongconvexity = loss ? BLPStrongConvexity_Quadratic : NULL;
  ops->smoothness = loss ? BLPSmoothness_Quadratic : NULL;
  ops->strongconvexitygradient = loss ? BLPStrongConvexityGradient_Quadratic : NULL;
  ops->smoothnessgradient = loss ? BLPSmoothnessGradient_Quadratic : NULL;
  ops->losslipschitz = loss ? BLPLipschitz_Quadratic : NULL;
  ops->mapapply = loss ? NULL : BLPMapApply_Quadratic;
  ops->maplinearize = loss ? NULL : Linearize;
  ops->mapjvp = loss ? NULL : BLPMapJVP_Quadratic;
  ops->mapvjp = loss ? NULL : BLPMapVJP_Quadratic;
  ops->mapparameterjvp = loss ? NULL : BLPMapParameterJVP_Quadratic;
  ops->mapparametervjp = loss ? NULL : BLPMapParameterVJP_Quadratic;
  ops->contraction = loss ? NULL : BLPContraction_Quadratic;
  ops->maplipschitz = loss ? NULL : BLPLipschitz_Quadratic;
}

static PetscErrorCode CheckNumbers(BLP blp)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)blp);
  const Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  PetscCheck(qd->n >= 1 && qd->m >= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_quadratic_n %" PetscInt_FMT " -blp_quadratic_m %" PetscInt_FMT ": both must be at least 1",
             qd->n, qd->m);
  PetscCheck(qd->mu > 0 && qd->mu <= qd->L && !PetscIsInfReal(qd->L), comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-blp_quadratic_mu %g -blp_quadratic_L %g: must be positive, and mu at most L", (double)qd->mu,
             (double)qd->L);
  PetscCheck(
      qd->symmetric || qd->L <= 1, comm, PETSC_ERR_ARG_OUTOFRANGE,
      "-blp_quadratic_L %g: must be at most 1 for a map (-blp_quadratic_symmetric 0), whose blocks have "
      "norms from 1 - L to q = 1 - mu",
      (double)qd->L);
  const PetscReal numbers[] = {qd->beta, qd->gamma, qd->eta1, qd->eta2};
  for (int i = 0; i < 4; i++)
    PetscCheck(
        numbers[i] >= 0 && !PetscIsInfReal(numbers[i]), comm, PETSC_ERR_ARG_OUTOFRANGE,
        "-blp_quadratic_beta %g -blp_quadratic_gamma %g -blp_quadratic_eta1 %g -blp_quadratic_eta2 %g: "
        "must be finite and not be negative",
        (double)qd->beta, (double)qd->gamma, (double)qd->eta1, (double)qd->eta2);
  PetscCheck(qd->gamma == 0 || (qd->symmetric && !qd->worst), comm, PETSC_ERR_ARG_INCOMP,
             "-blp_quadratic_gamma %g: goes neither with a map (-blp_quadratic_symmetric 0) nor with "
             "-blp_quadratic_worst",
             (double)qd->gamma);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPSetFromOptions_Quadratic(BLP blp, PetscOptionItems *PetscOptionsObject)
{
  static const char *const spectra[] = {"log", "linear"};
  Quadratic *qd = (Quadratic *)blp->data;
  PetscReal kappa = qd->L / qd->mu;
  PetscInt spectrum = qd->linear;
  PetscBool has_mu, has_kappa;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-blp_quadratic_n", "Entries of w", "BLPQUADRATIC", qd->n, &qd->n, NULL));
  PetscCall(PetscOptionsInt("-blp_quadratic_m", "Entries of lambda", "BLPQUADRATIC", qd->m, &qd->m, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_L", "Largest eigenvalue (of a map: at most 1)", "BLPQUADRATIC",
                             qd->L, &qd->L, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_mu", "Smallest eigenvalue (of a map: 1 - q)", "BLPQUADRATIC",
                             qd->mu, &qd->mu, &has_mu));
  PetscCall(PetscOptionsReal("-blp_quadratic_kappa", "L / mu, in place of mu", "BLPQUADRATIC", kappa, &kappa,
                             &has_kappa));
  PetscCall(PetscOptionsEList("-blp_quadratic_spectrum", "Spacing of the eigenvalues", "BLPQUADRATIC",
                              spectra, 2, spectra[spectrum], &spectrum, NULL));
  PetscCall(PetscOptionsBool("-blp_quadratic_symmetric", "A loss; else a map with d1Phi not symmetric",
                             "BLPQUADRATIC", qd->symmetric, &qd->symmetric, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_beta", "Norm of what takes lambda to the lower level",
                             "BLPQUADRATIC", qd->beta, &qd->beta, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_gamma", "Coupling: what exp(lambda) adds to the eigenvalues",
                             "BLPQUADRATIC", qd->gamma, &qd->gamma, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_eta1", "Lipschitz constant of grad1 E", "BLPQUADRATIC", qd->eta1,
                             &qd->eta1, NULL));
  PetscCall(PetscOptionsReal("-blp_quadratic_eta2", "Lipschitz constant of grad2 E", "BLPQUADRATIC", qd->eta2,
                             &qd->eta2, NULL));
  PetscCall(PetscOptionsBool("-blp_quadratic_worst", "All errors in the direction of mu: bounds are attained",
                             "BLPQUADRATIC", qd->worst, &qd->worst, NULL));
  PetscCall(PetscOptionsInt("-blp_quadratic_seed", "Key of the random numbers", "BLPQUADRATIC", qd->seed,
                            &qd->seed, NULL));
  PetscCheck(!has_mu || !has_kappa, PetscObjectComm((PetscObject)blp), PETSC_ERR_ARG_INCOMP,
             "-blp_quadratic_mu and -blp_quadratic_kappa exclude each other");
  if (has_kappa) qd->mu = qd->L / kappa;
  qd->linear = spectrum ? PETSC_TRUE : PETSC_FALSE;
  PetscCall(CheckNumbers(blp));
  SetOps(blp);
  blp->setup = PETSC_FALSE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPView_Quadratic(BLP blp, PetscViewer viewer)
{
  const Quadratic *qd = (Quadratic *)blp->data;

  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer,
                                   "w %" PetscInt_FMT ", lambda %" PetscInt_FMT ", lower level as %s%s\n",
                                   qd->n, qd->m, qd->symmetric ? "a loss" : "a map, not symmetric",
                                   qd->worst ? ", all errors in the direction of mu" : ""));
  PetscCall(PetscViewerASCIIPrintf(viewer, "mu %g, L %g (%s), beta %g, gamma %g, eta1 %g, eta2 %g\n",
                                   (double)qd->mu, (double)qd->L, qd->linear ? "linear" : "log-spaced",
                                   (double)qd->beta, (double)qd->gamma, (double)qd->eta1, (double)qd->eta2));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPGetMemory_Quadratic(BLP blp, PetscLogDouble *bytes)
{
  const Quadratic *qd = (Quadratic *)blp->data;
  PetscInt n, m;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(qd->u, &n));
  PetscCall(VecGetLocalSize(qd->c, &m));
  *bytes += ((PetscLogDouble)n * (qd->symmetric ? 15 : 16) + 2.0 * (PetscLogDouble)m) *
                sizeof(PetscScalar) +                                         /* vectors */
            (PetscLogDouble)n * (sizeof(PetscScalar) + 2 * sizeof(PetscInt)); /* P */
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode BLPDestroy_Quadratic(BLP blp)
{
  PetscFunctionBegin;
  PetscCall(BLPReset_Quadratic(blp));
  PetscCall(PetscFree(blp->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode BLPCreate_Quadratic(BLP blp)
{
  Quadratic *qd;

  PetscFunctionBegin;
  PetscCall(PetscNew(&qd));
  *qd = (Quadratic){
      .n = 100, .m = 10, .mu = 0.1, .L = 1, .beta = 1, .eta1 = 1, .eta2 = 1, .symmetric = PETSC_TRUE};
  blp->data = qd;
  blp->needs_samples = PETSC_FALSE;
  blp->ops->setfromoptions = BLPSetFromOptions_Quadratic;
  blp->ops->setup = BLPSetUp_Quadratic;
  blp->ops->view = BLPView_Quadratic;
  blp->ops->destroy = BLPDestroy_Quadratic;
  blp->ops->createvecs = BLPCreateVecs_Quadratic;
  blp->ops->upper = BLPUpper_Quadratic;
  blp->ops->exact = BLPExact_Quadratic;
  blp->ops->memory = BLPGetMemory_Quadratic;
  SetOps(blp);
  PetscFunctionReturn(PETSC_SUCCESS);
}
