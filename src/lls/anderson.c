/* anderson: Anderson acceleration of x <- Phi(x, lambda) on the map's state, with differences of the last m
   points (Anderson, J. ACM 12 (1965); the updated QR factorisation is Walker and Ni's, SIAM J. Numer. Anal.
   49 (2011)). With g_k = Phi(y_k), f_k = g_k - y_k, and the columns of dF and dG the differences of f and of
   g,

     gamma = argmin ||f_k - dF gamma||,    y_{k+1} = g_k - dG gamma,    dF = Q R

   A step is the evaluation of Phi at y_k; the solver's iterate is g_k, so that a step, and what is tested,
   cost and mean what they do in picard, and the first two steps are picard's.

   Safeguard: a combined point whose ||f|| is 10 times the least seen, or the last of 2 (m + 1) of them
   without a new least, is given up: the iterate goes back to the image of the best point, the differences are
   dropped, and (m + 1) 2^r plain steps follow, where r counts the returns since the last new least. So it
   converges where picard does. */
#include <twofold/impl/llsimpl.h>

enum { MAX_DEPTH = 100, MAX_DOUBLINGS = 20 };

typedef struct {
  PetscInt depth; /* m */
  State view;     /* laid over the flat vectors below */
  Vec y, f, g;    /* the point of this step */
  Vec f_before, g_before;
  Vec best;             /* image of the best point */
  Vec *dG, *Q;          /* m each */
  PetscScalar *R, *rhs; /* m x m by columns; m and work of m */
  PetscInt n;           /* differences at hand */
  PetscBool before;     /* f_before and g_before are those of the last point */
  PetscBool combined;   /* y is a combination, not a plain image */
  PetscBool evaluated;  /* f and g are those of y, from which no next point has been made yet */
  PetscBool accepted;   /* that y was */
  PetscReal least;      /* ||f|| of the best point */
  PetscInt plain, returns, since;
} Anderson;

/* ------------------------------------------------------------------ the factorisation dF = Q R */

/* [q, p] <- [c q + s p, c p - s q] */
static PetscErrorCode Rotate(Vec q, Vec p, PetscReal c, PetscReal s)
{
  PetscScalar *a, *b;
  PetscInt n;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(q, &n));
  PetscCall(VecGetArray(q, &a));
  PetscCall(VecGetArray(p, &b));
  for (PetscInt i = 0; i < n; i++) {
    const PetscScalar old = a[i];
    a[i] = c * old + s * b[i];
    b[i] = c * b[i] - s * old;
  }
  PetscCall(VecRestoreArray(p, &b));
  PetscCall(VecRestoreArray(q, &a));
  PetscCall(PetscLogFlops(6.0 * (double)n));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Takes the oldest difference off: R without its first column is upper Hessenberg, rotations make it
 * triangular. */
static PetscErrorCode DropOldest(Anderson *a)
{
  const PetscInt m = a->depth;
  const Vec oldest = a->dG[0];

  PetscFunctionBegin;
  for (PetscInt j = 1; j < a->n; j++) {
    a->dG[j - 1] = a->dG[j];
    PetscCall(PetscArraycpy(a->R + (j - 1) * m, a->R + j * m, j + 1));
  }
  a->n--;
  a->dG[a->n] = oldest;
  for (PetscInt i = 0; i < a->n; i++) {
    PetscScalar *const column = a->R + i * m;
    const PetscReal length = hypot(column[i], column[i + 1]);
    const PetscReal c = length > 0 ? column[i] / length : 1, s = length > 0 ? column[i + 1] / length : 0;
    for (PetscInt j = i; j < a->n; j++) {
      PetscScalar *const r = a->R + j * m + i;
      const PetscScalar old = r[0];
      r[0] = c * old + s * r[1];
      r[1] = c * r[1] - s * old;
    }
    PetscCall(Rotate(a->Q[i], a->Q[i + 1], c, s));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether R is too ill-conditioned to go on with, by its diagonal. */
static PetscBool IsDependent(const Anderson *a)
{
  PetscReal low = PETSC_MAX_REAL, high = 0;

  for (PetscInt j = 0; j < a->n; j++) {
    low = PetscMin(low, PetscAbsScalar(a->R[j * a->depth + j]));
    high = PetscMax(high, PetscAbsScalar(a->R[j * a->depth + j]));
  }
  return (PetscBool)(low < 1e-10 * high);
}

/* Adds the differences of this point to the last one: Gram-Schmidt, twice. A difference within the span of
   the others is left out. */
static PetscErrorCode AddDifference(Anderson *a)
{
  PetscReal whole, rest;

  PetscFunctionBegin;
  if (a->n == a->depth) PetscCall(DropOldest(a));
  const Vec q = a->Q[a->n];
  PetscScalar *const r = a->R + a->n * a->depth;
  PetscCall(VecWAXPY(a->dG[a->n], -1, a->g_before, a->g));
  PetscCall(VecWAXPY(q, -1, a->f_before, a->f));
  PetscCall(VecNorm(q, NORM_2, &whole));
  PetscCall(PetscArrayzero(r, a->depth));
  for (int pass = 0; pass < 2; pass++) {
    PetscCall(VecMDot(q, a->n, a->Q, a->rhs));
    for (PetscInt i = 0; i < a->n; i++) {
      r[i] += a->rhs[i];
      a->rhs[i] = -a->rhs[i];
    }
    PetscCall(VecMAXPY(q, a->n, a->rhs, a->Q));
  }
  PetscCall(VecNorm(q, NORM_2, &rest));
  if (rest <= 1e-14 * whole) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(VecScale(q, 1 / rest));
  r[a->n++] = rest;
  while (a->n > 1 && IsDependent(a)) PetscCall(DropOldest(a));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* y <- g - dG gamma */
static PetscErrorCode Combine(Anderson *a)
{
  PetscScalar *const gamma = a->rhs;

  PetscFunctionBegin;
  PetscCall(VecMDot(a->f, a->n, a->Q, gamma));
  for (PetscInt i = a->n - 1; i >= 0; i--) {
    for (PetscInt j = i + 1; j < a->n; j++) gamma[i] -= a->R[j * a->depth + i] * gamma[j];
    gamma[i] /= a->R[i * a->depth + i];
  }
  for (PetscInt i = 0; i < a->n; i++) gamma[i] = -gamma[i];
  PetscCall(VecCopy(a->g, a->y));
  PetscCall(VecMAXPY(a->y, a->n, gamma, a->dG));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ the solve */

static PetscErrorCode CopyToFlat(Anderson *a, State x, Vec flat)
{
  PetscScalar *values;

  PetscFunctionBegin;
  PetscCall(VecGetArrayWrite(flat, &values));
  PetscCall(StatePlace(a->view, values));
  PetscCall(StateCopy(x, a->view));
  PetscCall(StateUnplace(a->view));
  PetscCall(VecRestoreArrayWrite(flat, &values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode CopyFromFlat(Anderson *a, Vec flat, State x)
{
  const PetscScalar *values;

  PetscFunctionBegin;
  PetscCall(VecGetArrayRead(flat, &values));
  PetscCall(StatePlace(a->view, values));
  PetscCall(StateCopy(a->view, x));
  PetscCall(StateUnplace(a->view));
  PetscCall(VecRestoreArrayRead(flat, &values));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* x <- Phi(y), with f and g. */
static PetscErrorCode Evaluate(LLS lls, Vec lambda, State x, PetscReal *norm)
{
  Anderson *a = (Anderson *)lls->data;

  PetscFunctionBegin;
  PetscCall(FPMStep(lls->fpm, lambda, x, NULL));
  PetscCall(CopyToFlat(a, x, a->g));
  PetscCall(VecWAXPY(a->f, -1, a->y, a->g));
  PetscCall(VecNorm(a->f, NORM_2, norm));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* Whether to go on from this point: see above. */
static PetscErrorCode Accept(Anderson *a, PetscReal norm, PetscBool *accepted)
{
  const PetscBool finite = (PetscBool)!PetscIsInfOrNanReal(norm);

  PetscFunctionBegin;
  *accepted = PETSC_TRUE;
  if (finite && norm < a->least) {
    a->least = norm;
    a->returns = a->since = 0;
    PetscCall(VecCopy(a->g, a->best));
    PetscFunctionReturn(PETSC_SUCCESS);
  }
  if (PetscIsInfReal(a->least)) PetscFunctionReturn(PETSC_SUCCESS); /* nowhere to go back to */
  *accepted =
      (PetscBool)(finite && (!a->combined || (norm <= 10 * a->least && ++a->since <= 2 * (a->depth + 1))));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode GoBack(Anderson *a)
{
  PetscFunctionBegin;
  PetscCall(VecCopy(a->best, a->y));
  a->n = a->since = 0;
  a->before = a->combined = PETSC_FALSE;
  a->plain = (a->depth + 1) << PetscMin(a->returns, MAX_DOUBLINGS);
  a->returns++;
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* The next y from an accepted point. */
static PetscErrorCode GoOn(Anderson *a)
{
  PetscFunctionBegin;
  if (a->before) PetscCall(AddDifference(a));
  a->combined = (PetscBool)(a->plain == 0 && a->n > 0);
  if (a->combined)
    PetscCall(Combine(a));
  else
    PetscCall(VecCopy(a->g, a->y));
  if (a->plain > 0) a->plain--;
  const Vec f = a->f, g = a->g;
  a->f = a->f_before;
  a->g = a->g_before;
  a->f_before = f;
  a->g_before = g;
  a->before = PETSC_TRUE;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Begin(Anderson *a, State x)
{
  PetscFunctionBegin;
  a->n = a->plain = a->returns = a->since = 0;
  a->before = a->combined = a->evaluated = PETSC_FALSE;
  a->least = (PetscReal)INFINITY;
  PetscCall(CopyToFlat(a, x, a->y));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSSolve_Anderson(LLS lls, Vec lambda, State x)
{
  Anderson *a = (Anderson *)lls->data;

  PetscFunctionBegin;
  if (!lls->resume || !a->evaluated) PetscCall(Begin(a, x));
  PetscCall(LLSTest_Private(lls, x));
  while (lls->reason == LLS_ITERATING) {
    if (a->evaluated) PetscCall(a->accepted ? GoOn(a) : GoBack(a));
    PetscCall(CopyFromFlat(a, a->y, x));
    PetscCall(LLSRecord_Private(lls, x));
    PetscCall(Evaluate(lls, lambda, x, &lls->change));
    PetscCall(Accept(a, lls->change, &a->accepted));
    a->evaluated = PETSC_TRUE;
    if (!a->accepted) {
      PetscCall(CopyFromFlat(a, a->best, x));
      lls->change = a->least;
    }
    lls->its++;
    PetscCall(LLSTest_Private(lls, x));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* ------------------------------------------------------------------ settings and set-up */

PetscErrorCode LLSAndersonSetDepth(LLS lls, PetscInt depth)
{
  const MPI_Comm comm = PetscObjectComm((PetscObject)lls);
  PetscBool anderson;

  PetscFunctionBegin;
  PetscCall(PetscObjectTypeCompare((PetscObject)lls, LLSANDERSON, &anderson));
  PetscCheck(anderson, comm, PETSC_ERR_ARG_WRONG,
             "LLSAndersonSetDepth: the lower-level solver is not anderson");
  PetscCheck(depth >= 1 && depth <= MAX_DEPTH, comm, PETSC_ERR_ARG_OUTOFRANGE,
             "-lls_anderson_depth %" PetscInt_FMT ": must be in 1 .. %d", depth, MAX_DEPTH);
  if (depth != ((Anderson *)lls->data)->depth) lls->setup = PETSC_FALSE;
  ((Anderson *)lls->data)->depth = depth;
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSSetFromOptions_Anderson(LLS lls, PetscOptionItems *PetscOptionsObject)
{
  PetscInt depth = ((Anderson *)lls->data)->depth;

  PetscFunctionBegin;
  PetscCall(PetscOptionsInt("-lls_anderson_depth", "Differences of former points that are combined",
                            "LLSAndersonSetDepth", depth, &depth, NULL));
  PetscCall(LLSAndersonSetDepth(lls, depth));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode Reset(LLS lls)
{
  Anderson *a = (Anderson *)lls->data;
  Vec *const vecs[] = {&a->y, &a->f, &a->g, &a->f_before, &a->g_before, &a->best};
  PetscInt m = 0;

  PetscFunctionBegin;
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDestroy(vecs[i]));
  for (; a->dG && a->dG[m]; m++) {
    PetscCall(VecDestroy(&a->dG[m]));
    PetscCall(VecDestroy(&a->Q[m]));
  }
  PetscCall(PetscFree4(a->dG, a->Q, a->R, a->rhs));
  PetscCall(StateDestroy(&a->view));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSSetUp_Anderson(LLS lls)
{
  Anderson *a = (Anderson *)lls->data;
  Vec *const vecs[] = {&a->f, &a->g, &a->f_before, &a->g_before, &a->best};
  const PetscInt m = a->depth;
  State like;

  PetscFunctionBegin;
  PetscCall(Reset(lls));
  a->evaluated = PETSC_FALSE;
  PetscCall(FPMCreateState(lls->fpm, &like));
  PetscCall(StateCreateView(like, &a->view));
  PetscCall(StateCreateFlat(like, &a->y));
  PetscCall(StateDestroy(&like));
  for (size_t i = 0; i < sizeof(vecs) / sizeof(vecs[0]); i++) PetscCall(VecDuplicate(a->y, vecs[i]));
  PetscCall(PetscCalloc4(m + 1, &a->dG, m + 1, &a->Q, m * m, &a->R, m, &a->rhs));
  for (PetscInt i = 0; i < m; i++) {
    PetscCall(VecDuplicate(a->y, &a->dG[i]));
    PetscCall(VecDuplicate(a->y, &a->Q[i]));
  }
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSView_Anderson(LLS lls, PetscViewer viewer)
{
  PetscFunctionBegin;
  PetscCall(PetscViewerASCIIPrintf(viewer, "depth %" PetscInt_FMT "\n", ((Anderson *)lls->data)->depth));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSGetMemory_Anderson(LLS lls, PetscLogDouble *bytes)
{
  Anderson *a = (Anderson *)lls->data;
  PetscInt nlocal;

  PetscFunctionBegin;
  PetscCall(VecGetLocalSize(a->y, &nlocal));
  *bytes += (PetscLogDouble)nlocal * sizeof(PetscScalar) * (PetscLogDouble)(2 * a->depth + 6);
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode LLSDestroy_Anderson(LLS lls)
{
  PetscFunctionBegin;
  PetscCall(Reset(lls));
  PetscCall(PetscFree(lls->data));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode LLSCreate_Anderson(LLS lls)
{
  Anderson *a;

  PetscFunctionBegin;
  PetscCall(PetscNew(&a));
  lls->data = a;
  a->depth = 5;
  lls->ops->setfromoptions = LLSSetFromOptions_Anderson;
  lls->ops->setup = LLSSetUp_Anderson;
  lls->ops->solve = LLSSolve_Anderson;
  lls->ops->view = LLSView_Anderson;
  lls->ops->memory = LLSGetMemory_Anderson;
  lls->ops->destroy = LLSDestroy_Anderson;
  PetscFunctionReturn(PETSC_SUCCESS);
}
