#ifndef TWOFOLD_CLI_STUDY_H
#define TWOFOLD_CLI_STUDY_H
/* twofold study: what its parts share. */
#include "cli.h"

enum { STUDY_MAX_METHODS = 16 };

/* A method: itd, or aid by a KSP with k steps. */
typedef struct {
  char name[64]; /* as it was asked for */
  PetscBool itd;
  char ksp[32];      /* of aid */
  PetscInt k;        /* steps of the adjoint; -1: as many as the lower level's */
  PetscBool bylower; /* the adjoint's map is the lower level's: fp */
} StudyMethod;

/* What was measured for one lambda, method and number of steps: reals alone, so that they travel as one. */
typedef struct {
  double sample, method, t, k;
  double f, norm;         /* of the exact hypergradient */
  double error, relative; /* ||g - grad f||; over norm */
  double theorem;         /* the a priori bound; NaN where it does not apply */
  double bound, standing; /* HGReport.bound */
  double estimate;
  double L, mu; /* by the problem's formulas */
  double rate;  /* of the lower level's map, by them */
  double reason;
} StudyRow;
enum { STUDY_COLUMNS = sizeof(StudyRow) / sizeof(double) };

typedef struct {
  CliCommon common;
  StudyMethod method[STUDY_MAX_METHODS];
  PetscInt nmethods;
  PetscInt *at, nat;
  PetscInt samples, groups, group;
  PetscInt64 seed;
  PetscReal *low, *high; /* the box, one number an entry of lambda; the last stands for all behind it */
  PetscInt nlow, nhigh;
  PetscBool logarithmic;
  MPI_Comm comm; /* of this rank's group */
} Study;

/* study_methods.c */
PetscErrorCode StudyMethodsParse(const char text[], StudyMethod method[], PetscInt *n);
/* A hypergradient by this method, ready for HGSolve() at lambda. Collective on blp. */
PetscErrorCode StudyMethodCreate(const StudyMethod *method, BLP blp, Vec lambda, HG *hg);
PetscErrorCode StudyMethodSetSteps(const StudyMethod *method, HG hg, PetscInt t, PetscInt *k);
/* The theorem's bound for this method after t and k steps. */
PetscErrorCode StudyMethodBound(const StudyMethod *method, HG hg, Vec lambda, PetscInt t, PetscInt k,
                                double *bound);

/* study_table.c: rows of all groups, in order, on rank 0 of the world; NULL elsewhere. */
PetscErrorCode StudyGather(const Study *study, const StudyRow own[], PetscInt nown, StudyRow **all,
                           PetscInt *n);
PetscErrorCode StudyWrite(const Study *study, RunDir dir, const StudyRow row[], PetscInt n);
PetscErrorCode StudyPrint(const Study *study, const StudyRow row[], PetscInt n);

#endif
